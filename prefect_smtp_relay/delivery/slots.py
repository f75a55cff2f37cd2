"""Slots of what all workers together may ask of a relay: taken, and waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from typing import TypeVar

from prefect_smtp_relay.delivery.pacing import MAX_WAIT_SECONDS, end_if_cancelled
from prefect_smtp_relay.delivery.routing import Relay
from prefect_smtp_relay.exceptions import TransientFailure
from prefect_smtp_relay.runtime.limits import Busy, Connections, Lease, RelayLimits
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.transports.waiting import clock, wait_until

T = TypeVar("T")

_MAX_MAILS = 90
"""For one turn of a connection that others wait for."""

_SOONER, _GROWTH = 0.5, 1.3
"""How soon the server is asked again: earlier than it proposes, later after each refusal."""

_MIN_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 0.25, 2.5

_SILENT_SECONDS = 60.0


class Slots:
    """Takes the slots of one try's mails, and waits for them.

    Args:
        relay: who has limits.
        limits: they.
        patience: the longest wait for one group of slots, in seconds.
    """

    def __init__(self, relay: Relay, limits: RelayLimits, patience: float) -> None:
        self._relay = relay
        self._limits = limits
        self._patience = min(patience, MAX_WAIT_SECONDS)
        self._told_at: float | None = None

    def group(self, connections: int) -> int:
        """How many mails go together, before others have their turn."""
        pace = self._limits.pace
        return pace.group if pace else _MAX_MAILS * connections

    @contextmanager
    def taken(self, mails: int, left: int, connections: int) -> Iterator[int]:
        """Take the slots of some mails; those of connections are given back at the end.

        A connection comes first: slots of the pace that were taken before a wait for it would be
        used together with those of others, in a burst.

        Args:
            mails: how many, at most a `group`, and
            left: with all that follow them in this try.
            connections: how many are wanted.

        Returns:
            How many connections there are.

        Raises:
            TransientFailure: there were no slots for as long as this may take.
            RelayLookupFailed: the API could not be asked.
        """
        if (limit := self._limits.connections) is None:
            self._keep_pace(mails, left)
            yield connections
            return
        lease = self._connections(limit, min(connections, limit.most))
        try:
            self._keep_pace(mails, left)
            yield lease.slots
        finally:
            lease.give_back()

    def _keep_pace(self, mails: int, left: int) -> None:
        if (pace := self._limits.pace) is None:
            return
        most = pace.messages_per_minute
        self._wait_for(
            lambda: pace.take(mails),
            f"takes {most} messages a minute from all workers together: {left} are waiting here,"
            f" which takes {left * 60 / most:.0f} seconds or more",
            f"all workers together submit more than {most} messages a minute. Submit fewer, or, if"
            " the relay permits more, raise *Advanced: Messages per minute*"
            " (`messages_per_minute`).",
        )

    def _connections(self, limit: Connections, wanted: int) -> Lease:
        """Take as many connections as are wanted, or one where others have too many for that."""
        in_turn = chain([wanted], repeat(1))
        return self._wait_for(
            lambda: limit.take(next(in_turn)),
            f"permits {limit.most} connections from all workers together, which are in use:"
            f" waiting for at most {self._patience:.0f} seconds",
            f"all {limit.most} connections that all workers together may have were in use. Submit"
            " fewer mails at once, or, if the relay permits more, raise *Advanced: Most"
            " connections* (`max_connections`).",
        )

    def _wait_for(self, take: Callable[[], T], waiting: str, in_vain: str) -> T:
        give_up_at = clock().now() + self._patience
        factor = _SOONER
        while True:
            try:
                return take()
            except Busy as busy:
                pause = min(max(busy.seconds * factor, _MIN_PAUSE_SECONDS), _MAX_PAUSE_SECONDS)
            factor *= _GROWTH
            if clock().now() + pause > give_up_at:
                raise TransientFailure(
                    self._relay.transport.name,
                    f"no turn came within {self._patience:.0f} seconds: {in_vain}",
                )
            self._tell(waiting)
            wait_until(clock().now() + pause, end_if_cancelled)

    def _tell(self, waiting: str) -> None:
        """Say what is waited for, once in a while."""
        now = clock().now()
        if self._told_at is None or now - self._told_at > _SILENT_SECONDS:
            self._told_at = now
            run_logger().info("%s %s.", self._relay.name, waiting)
