"""Who sees the steps of a connection as they are taken, as httpcore's ``trace`` extension does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prefect_smtp_relay.transports.check_report import Finding
from prefect_smtp_relay.transports.smtp.session.session import Session


class Observer:
    """Handed to `connect`; this one looks away, and `check` has one that takes notes."""

    renews_tokens = True
    """Whether a kept access token that the server refuses is renewed, over another connection."""

    @contextmanager
    def step(self, name: str) -> Iterator[Finding]:
        """Surround one step; what is raised in it is its failure."""
        yield Finding(name)

    def recovered(self) -> None:
        """Note that another address of the host took the place of those that failed."""

    def opened(self, session: Session) -> None:
        """Look at a session that is encrypted as wanted, before its login."""

    def leave(self, session: Session) -> None:
        """End a session whose login failed."""
        session.quit()
