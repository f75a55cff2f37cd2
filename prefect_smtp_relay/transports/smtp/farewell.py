"""The end of sessions: QUIT, and no long wait for its reply (RFC 5321, section 4.1.1.10)."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.transports.deadline import Deadline

if TYPE_CHECKING:
    from prefect_smtp_relay.transports.smtp.session import Session

_FAREWELL_SECONDS = 2.0


def quit_all(sessions: Sequence[Session]) -> None:
    """Say good-bye to several servers at once, and close: the wait is that for one."""
    deadline = Deadline(_FAREWELL_SECONDS)
    for session in sessions:
        session.go_on(deadline)
        with contextlib.suppress(EmailError):
            session.write("QUIT", b"QUIT\r\n")
    for session in sessions:
        with contextlib.suppress(EmailError):
            session.read_reply("QUIT")
        session.close()
