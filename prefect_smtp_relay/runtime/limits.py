"""What all workers together may ask of a relay, by Prefect's global concurrency limits.

A limit is a row of Prefect's server, and one request takes slots of it. A row that differs from the
block is written anew. Where somebody switches a row off in Prefect, nothing is limited.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from prefect_smtp_relay.blocks.base import RelayBlock
from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.runtime.api import API_ERRORS
from prefect_smtp_relay.runtime.catalog import api_failure
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.runtime.requests import request

if TYPE_CHECKING:
    from prefect.client.orchestration.routes import ServerRoutes

_ROW: ServerRoutes = "/v2/concurrency_limits/{id_or_name}"

_SLOTS_OF_A_MESSAGE = 100
"""Prefect rounds what has come back since the last request down to whole slots."""

_LEASE_SECONDS = 180.0
_RENEWAL_SECONDS = 60.0
_UNTOUCHED_SECONDS = 300.0
_CONFLICT, _GONE, _TOO_FEW_SLOTS, _LOCKED = 409, 410, 422, 423


class Busy(Exception):
    """No slot is free.

    Args:
        seconds: after which the server proposes to ask again.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True)
class Limit:
    """A row of the server, as the block wants it.

    Args:
        name: of the limit.
        slots: how many there are.
        decay_per_second: how many come back by themselves.
    """

    name: str
    slots: int
    decay_per_second: float = 0.0

    def take(self, path: ServerRoutes, slots: int, **more: Any) -> Any:
        """Take slots; the row is written first where it is missing, and after it where it differs.

        Raises:
            Busy: there are not so many now.
            EmailError: the API could not be asked.
        """
        body = {"names": [self.name], "slots": slots, **more}
        try:
            answer = _ask(path, body)
            found = answer["limits"] if isinstance(answer, dict) else answer
            if not found or found[0]["limit"] != self.slots:
                self.write(exists=found != [])
            return answer if found else _ask(path, body)
        except API_ERRORS as error:
            text = f"the Prefect API could not grant slots of the limit {self.name}"
            raise api_failure(error, text, "; no relay was given the mail") from error

    def write(self, *, exists: bool, **more: int) -> None:
        """Write the row; another process may create it at the same moment.

        Raises:
            Exception: one of `API_ERRORS`.
        """
        row = {"limit": self.slots, "slot_decay_per_second": self.decay_per_second, **more}
        if exists:
            request("PATCH", _ROW, json=row, path_params={"id_or_name": self.name})
            return
        try:
            request("POST", "/v2/concurrency_limits/", json={"name": self.name, **row})
        except httpx.HTTPStatusError as error:
            if error.response.status_code != _CONFLICT:
                raise


class Pace:
    """At most so many messages in any minute, whoever submits them.

    The row is a bucket: a message takes 100 slots, and they come back at 97 % of the pace, while
    2 % of a minute's messages, and one more, may go at once. So a whole minute with such a burst
    in it has not more messages than the block says, and a little time for their way to the relay.

    Args:
        name: of the limit.
        messages_per_minute: the pace.
    """

    def __init__(self, name: str, messages_per_minute: int) -> None:
        self.messages_per_minute = messages_per_minute
        burst = _SLOTS_OF_A_MESSAGE + 2 * messages_per_minute
        self._limit = Limit(name, burst, 0.97 * _SLOTS_OF_A_MESSAGE * messages_per_minute / 60)

    @property
    def group(self) -> int:
        """For how many messages slots are taken at once."""
        return max(1, self.messages_per_minute // 100)

    def take(self, messages: int) -> None:
        """Take the slots of a group, or of less.

        Raises:
            Busy: they are not there yet.
            EmailError: the API could not be asked.
        """
        slots = messages * _SLOTS_OF_A_MESSAGE
        self._limit.take("/v2/concurrency_limits/increment", slots, mode="rate_limit")


class Connections:
    """At most so many connections at once, whoever has them.

    Args:
        name: of the limit.
        most: how many.
    """

    def __init__(self, name: str, most: int) -> None:
        self.most = most
        self._limit = Limit(name, most)

    def take(self, connections: int) -> Lease:
        """Take the right to so many connections.

        Raises:
            Busy: others have them.
            EmailError: the API could not be asked.
        """
        path: ServerRoutes = "/v2/concurrency_limits/increment-with-lease"
        duration = {"mode": "concurrency", "lease_duration": _LEASE_SECONDS}
        try:
            answer = self._limit.take(path, connections, **duration)
        except Busy:
            self._free_abandoned()
            raise
        return Lease(self._limit, answer["lease_id"], connections)

    def _free_abandoned(self) -> None:
        """Free all slots where nobody who is alive can have them.

        Prefect's server keeps leases in its memory, by default: those who were killed together
        with it leave their slots taken for good. Who is alive touches the row each minute.
        """
        with contextlib.suppress(*API_ERRORS, KeyError):
            row = request("GET", _ROW, path_params={"id_or_name": self._limit.name}).json()
            age = datetime.now(UTC) - datetime.fromisoformat(row["updated"])
            if age.total_seconds() > _UNTOUCHED_SECONDS:
                run_logger().warning("%s: freeing what nobody uses any more.", self._limit.name)
                self._limit.write(exists=True, active_slots=0)


class Lease:
    """Slots that are renewed until they are given back.

    Args:
        limit: of which they are.
        lease_id: Prefect's.
        slots: how many.
    """

    def __init__(self, limit: Limit, lease_id: str, slots: int) -> None:
        self._limit = limit
        self._id = lease_id
        self.slots = slots
        self._is_over = threading.Event()
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._renew_in_time,), daemon=True).start()

    def give_back(self) -> None:
        """Free the slots; where the API cannot be asked, they are free after the lease."""
        self._is_over.set()
        with contextlib.suppress(*API_ERRORS):
            if self._renew():
                path: ServerRoutes = "/v2/concurrency_limits/decrement-with-lease"
                request("POST", path, json={"lease_id": self._id})
            else:
                slots = {"names": [self._limit.name], "slots": self.slots}
                request("POST", "/v2/concurrency_limits/decrement", json=slots)

    def _renew_in_time(self) -> None:
        while not self._is_over.wait(_RENEWAL_SECONDS):
            with contextlib.suppress(*API_ERRORS):
                self._renew()
                self._limit.write(exists=True)

    def _renew(self) -> bool:
        """Renew the lease; a server that was started anew knows the slots, and no lease."""
        path: ServerRoutes = "/v2/concurrency_limits/leases/{lease_id}/renew"
        try:
            duration = {"lease_duration": _LEASE_SECONDS}
            request("POST", path, json=duration, path_params={"lease_id": self._id})
        except httpx.HTTPStatusError as error:
            if error.response.status_code != _GONE:
                raise
            return False
        return True


@dataclass(frozen=True)
class RelayLimits:
    """What all workers together may ask of one relay.

    Args:
        pace: None where messages are not limited.
        connections: None where connections are not limited.
    """

    pace: Pace | None
    connections: Connections | None

    @classmethod
    def of(cls, block: RelayBlock) -> RelayLimits | None:
        """Read a block's fields; None where they limit nothing.

        Raises:
            RelayConfigurationError: the block is not saved, so that others cannot know it.
        """
        messages, connections = block.limits_over_all_workers()
        if not messages and not connections:
            return None
        if "/" not in block.relay_name:
            raise RelayConfigurationError(
                "has limits for all workers, and is not saved",
                "Save the block, or set *Advanced: Messages per minute* (`messages_per_minute`) and"
                " *Advanced: Most connections* (`max_connections`) to 0.",
                field=block.relay_name,
            )
        name = f"smtp-relay.{block.relay_name.replace('/', '.')}"  # Prefect permits no slash
        return cls(
            Pace(f"{name}.messages", messages) if messages else None,
            Connections(f"{name}.connections", connections) if connections else None,
        )


def _ask(path: ServerRoutes, body: dict[str, Any]) -> Any:
    """Ask for slots; None where the row, as it is, has fewer than that."""
    try:
        return request("POST", path, json=body).json()
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        if status == _LOCKED:
            raise Busy(float(error.response.headers.get("Retry-After", 1))) from None
        if status == _TOO_FEW_SLOTS:
            return None
        raise
