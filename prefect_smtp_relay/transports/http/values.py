"""A request, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Stage = Literal["connect", "request", "answer"]
"""How far a request came: in stage ``answer`` it had gone out as a whole, and may be accepted."""

Kind = Literal["configuration", "unknown", "proxy", "tls", "late", "lost", "misused"]
"""What ended it."""


@dataclass(frozen=True)
class HttpRequest:
    """One request; all of it may contain secrets, the query of its URL too."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    method: str = "POST"


class NoAnswer(Exception):
    """There is no answer, or none that is whole.

    Args:
        kind, stage: what happened, and when.
        reason: what TLS or the operating system objects to; nothing that the peer wrote.
    """

    def __init__(self, kind: Kind, stage: Stage, reason: str = "") -> None:
        super().__init__(kind, stage, reason)
        self.kind = kind
        self.stage = stage
        self.reason = reason


@dataclass(frozen=True)
class HttpAnswer:
    """What came back.

    Args:
        status: the HTTP status code.
        headers: by their names in lower case.
        body: as it was transferred, cut at a limit.
        missing: why the body is not whole; the status counts all the same.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    missing: NoAnswer | None = None
