"""One row of the table of faults, and the kinds of session in which it is tried."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from prefect_smtp_relay.exceptions import EmailError, OutcomeUnknown, TransientFailure
from prefect_smtp_relay.transports.smtp import Security

USERNAME, PASSWORD = "user-canary-4f1c9b7e", "pass-canary-8d2e6a3f"
"""Configured in every row, and to be found in no output."""

SHORT = 0.6
"""The time limit where a server is silent; nowhere else may anything depend on it."""


@dataclass(frozen=True)
class Scenario:
    """What a server does, and what has to come of it.

    Args:
        name: the row's.
        script: of every connection, or of the first, the second and so on; none: nobody listens.
            A line SESSION stands for all up to the login, with the extensions behind it.
        error: the class; None where the delivery succeeds all the same.
        stage: where it fails; several with "|" where a client may notice it in either.
        says: part of the text (of a receipt: of its response): the server's words and codes.
        ends: how the text ends: with what to change.
        transient: where the class alone does not say it.
        copies: how many are stored; None where a stored copy would not be noticed.
        to: the recipients.
        attached: octets of an attachment.
        accepted, refused: what the receipt says; the refusals as text.
        settings: of the transport, where they are not those of the kind of session.
        certificate: the server's, by its name in `certificates`.
        timeout: the transport's ``timeout_seconds``.
        within: the longest time the whole delivery may take, in seconds.
        kinds: what SESSION stands for, where not for each of `SESSIONS`.
    """

    name: str
    script: str | tuple[str, ...]
    error: type[EmailError] | None = None
    stage: str = ""
    says: str = ""
    ends: str = ""
    _: KW_ONLY
    transient: bool | None = None
    copies: int = 0
    to: str = "ann@example.org"
    attached: int = 0
    accepted: tuple[str, ...] = ("ann@example.org",)
    refused: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    certificate: str = "good"
    timeout: float = 5.0
    within: float = 5.0
    kinds: tuple[str, ...] = ("stepwise", "pipelined", "encrypted")

    @property
    def is_transient(self) -> bool:
        """Whether a task may try again."""
        if self.transient is not None or self.error is None:
            return bool(self.transient)
        return issubclass(self.error, (TransientFailure, OutcomeUnknown))

    @property
    def scripts(self) -> tuple[str, ...]:
        """Each connection's script."""
        return (self.script,) if isinstance(self.script, str) else self.script


@dataclass(frozen=True)
class SessionKind:
    """What the line SESSION stands for.

    Args:
        opening: the steps up to the login; ``{}`` is where the row's extensions are offered.
        settings: of the transport.
        extensions: offered as well.
    """

    opening: str
    settings: Mapping[str, Any]
    extensions: tuple[str, ...] = ()


IN_CLEAR = {"security": Security.PLAIN_TEXT, "mechanism": "cram_md5"}
UPGRADED = {"security": Security.STARTTLS, "mechanism": "plain"}
CRAM_MD5 = """
S: 220 mx.test
EHLO {}AUTH CRAM-MD5
C: AUTH CRAM-MD5
S: 334 PDEyMz4=
C:
S: 235 2.7.0 welcome
"""
STARTTLS = "S: 220 mx.test\nEHLO STARTTLS\nC: STARTTLS\n"
ENCRYPTED = f"{STARTTLS}S: 220 2.0.0 go on\nTLS\n"
PLAIN = f"{ENCRYPTED}EHLO {{}}AUTH PLAIN LOGIN\nC: AUTH PLAIN\nS: 235 2.7.0 welcome\n"

SESSIONS = {
    "stepwise": SessionKind(CRAM_MD5, IN_CLEAR),
    "pipelined": SessionKind(CRAM_MD5, IN_CLEAR, ("PIPELINING",)),
    "encrypted": SessionKind(PLAIN, UPGRADED, ("PIPELINING",)),
}
AS_WRITTEN = SessionKind("", IN_CLEAR)

# What a script is made of. Behind a refusal, a client that pipelines has written more than was
# granted, and one that does not may say QUIT or RSET or just go: REST is right for all of them.
MAIL = "SESSION\nC: MAIL FROM:<flows@example.org>\n"
RCPT = f"{MAIL}S: 250 2.1.0 ok\nC: RCPT TO:<ann@example.org>\n"
DATA = f"{RCPT}S: 250 2.1.5 ok\nC: DATA\n"
BODY = f"{DATA}S: 354 go on\n"
STORED = f"{BODY}STORE\n"
REST = "\nANSWER 503 5.5.1 bad sequence of commands"


def expand(scenarios: list[Scenario]) -> Iterator[tuple[str, Scenario, SessionKind]]:
    """Give each row with each kind of session it is tried in, and a name for both.

    A server that offers PIPELINING may be spoken to step by step or not: a script has to be right
    for either client, and the outcome is the same.
    """
    for scenario in scenarios:
        if any("SESSION" in script for script in scenario.scripts):
            for kind in scenario.kinds:
                yield f"{scenario.name}-{kind}", scenario, SESSIONS[kind]
        else:
            yield scenario.name, scenario, AS_WRITTEN


def write_out(script: str, kind: SessionKind) -> str:
    """Put the session's opening in the place of the line SESSION."""

    def opening(line: re.Match[str]) -> str:
        return kind.opening.format(f"{line[1].strip()}, " if line[1].strip() else "")

    return re.sub("^SESSION(.*)$", opening, script, flags=re.MULTILINE)
