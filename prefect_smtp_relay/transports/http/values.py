"""A request, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MAX_BODY = 64 * 1024
"""Bytes of an answer that are read: those of SendGrid and of token endpoints have some hundred."""

Stage = Literal["connect", "request", "answer"]
"""How far a request came: in stage ``answer`` it had gone out as a whole, and may be accepted."""

Kind = Literal["configuration", "proxy", "tls", "late", "lost", "misused"]
"""What ended it."""


@dataclass(frozen=True)
class HttpRequest:
    """One request. Its headers and its body may hold secrets, and so may its URL's query.

    Args:
        url: where it goes.
        headers: besides those that every request has.
        body: of a POST.
        method: of HTTP.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    method: str = "POST"


class NoAnswer(Exception):
    """There is no answer, or none that is whole.

    Args:
        kind: what happened.
        stage: how far the request came.
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
        body: its first `MAX_BODY` bytes at most, as they were transferred.
        missing: why the body is not whole; the status counts all the same.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    missing: NoAnswer | None = None
