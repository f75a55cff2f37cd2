"""The sessions that a process keeps open between mails."""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field

from prefect_smtp_relay.exceptions import TimedOut
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.connect.connection import connect
from prefect_smtp_relay.transports.smtp.errors import translating
from prefect_smtp_relay.transports.smtp.form import TIMEOUT_SECONDS
from prefect_smtp_relay.transports.smtp.session.session import Session, quit_all

_ROUND_SECONDS = 1.0


class _Lease:
    """The right to one connection; it ends at the latest when nothing refers to it any more.

    A task's timeout may strike between any two steps of a thread: what is only counted could
    stay counted for good.
    """


@dataclass
class _Relay:
    """The sessions with one relay: idle ones, each with its last moment, and leases in use."""

    idle: list[tuple[float, Session]] = field(default_factory=list)
    leases: weakref.WeakSet[_Lease] = field(default_factory=weakref.WeakSet)


class Pool:
    """Lends sessions, and keeps those that can serve again; safe with threads.

    Sessions belong to a configuration, whatever the block is called that has it.
    """

    def __init__(self) -> None:
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._changed = threading.Condition()
        self._relays: dict[SmtpConfig, _Relay] = {}
        self._leaving: list[Session] = []
        self._is_tended = False

    def close(self) -> None:
        """Close all sessions that nobody uses."""
        with self._changed:
            leaving, self._leaving = self._leaving, []
            for relay in self._relays.values():
                leaving += (session for _, session in relay.idle)
                relay.idle = []
        quit_all(leaving)

    def abandon(self) -> None:
        """Leave the sessions to the process that this one was forked from."""
        for relay in self._relays.values():
            for _, session in relay.idle:
                session.abandon()
        self._begin_anew()  # a lease of the parent may end in the child, too

    @contextlib.contextmanager
    def lease(
        self, config: SmtpConfig, deadline: Deadline, *, is_new: bool = False
    ) -> Iterator[Session]:
        """Lend a session; it is kept afterwards if it is still good.

        Args:
            config: how to reach the relay.
            deadline: of the delivery.
            is_new: whether it must not be a kept one.

        Raises:
            EmailError: no session can be had.
        """
        lease = _Lease()
        session: Session | None = None
        try:
            with translating(config.name, "connect"):
                session = self._take(config, lease, deadline, is_new=is_new)
            if session is None:
                session = connect(config, deadline)
            yield session
        except BaseException:
            if session is not None:
                session.close()
            raise
        finally:
            if session is not None and session.is_open and not config.limits.kept_seconds:
                quit_all([session])  # the caller counts connections
            self._give_back(config, lease, session)

    def _take(
        self, config: SmtpConfig, lease: _Lease, deadline: Deadline, *, is_new: bool
    ) -> Session | None:
        """Take a kept session that shows no sign of its end, or the right to open one."""
        with self._changed:
            relay = self._wait_for_a_lease(config, deadline)
            relay.leases.add(lease)
            kept = [] if is_new else relay.idle
            while kept:
                _, session = kept.pop()
                if session.is_quiet and not session.should_end:
                    return session
                session.close()
        return None

    def _wait_for_a_lease(self, config: SmtpConfig, deadline: Deadline) -> _Relay:
        limit = config.limits.connections
        while True:
            relay = self._relays.setdefault(config, _Relay())
            if len(relay.leases) < limit:
                return relay
            try:
                # In rounds: a lease that a broken thread left does not say that it ended.
                self._changed.wait(deadline.left(_ROUND_SECONDS))
            except TimeoutError as error:
                raise TimedOut(
                    config.name,
                    f"all {limit} connections of this process were in use all the time. Submit"
                    f" fewer mails at once, or raise {TIMEOUT_SECONDS}.",
                    stage="connect",
                ) from error

    def _give_back(self, config: SmtpConfig, lease: _Lease, session: Session | None) -> None:
        limits = config.limits
        with self._changed:
            relay = self._relays.setdefault(config, _Relay())
            relay.leases.discard(lease)
            if session is not None and session.is_open:
                # A server that accepted nothing yet may want to see us come back (postscreen).
                is_good = session.has_accepted and not session.should_end and session.is_quiet
                if is_good and len(relay.leases) + len(relay.idle) < limits.connections:
                    relay.idle.append((time.monotonic() + limits.kept_seconds, session))
                elif session.is_open:
                    self._leaving.append(session)
                self._tend()
            elif not relay.idle and not relay.leases:
                del self._relays[config]
            self._changed.notify_all()

    def _tend(self) -> None:
        if self._is_tended:
            return
        # At the interpreter's end there is no thread to be had; the sessions end with it.
        with contextlib.suppress(RuntimeError):
            threading.Thread(target=self._close_expired, daemon=True).start()
            self._is_tended = True

    def _close_expired(self) -> None:
        """Close what nobody used for some seconds, until nothing is left to close."""
        while True:
            with self._changed:
                now = time.monotonic()
                expired = self._collect_expired(now)
                if not expired and not self._relays:
                    self._is_tended = False
                    return
                ends = [end for relay in self._relays.values() for end, _ in relay.idle]
            quit_all(expired)
            time.sleep(min([_ROUND_SECONDS, *(end - now for end in ends)]))

    def _collect_expired(self, now: float) -> list[Session]:
        expired, self._leaving = self._leaving, []
        for config, relay in list(self._relays.items()):
            expired += (session for end, session in relay.idle if end <= now)
            relay.idle = [kept for kept in relay.idle if kept[0] > now]
            if not relay.idle and not relay.leases:
                del self._relays[config]
        return expired
