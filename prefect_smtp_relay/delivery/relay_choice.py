"""The relay of one try, and the ones after it, where failover is on."""

from __future__ import annotations

from dataclasses import replace

from prefect_smtp_relay.blocks.documents import Connected
from prefect_smtp_relay.delivery.routing import (
    Relay,
    RelayInput,
    choose_relay,
    default_delivery,
    relay_of,
)
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.receipt import PassedOver
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.transports.waiting import clock

PASSED_OVER_SECONDS = 60.0
"""A relay that could not be given a mail is asked again after this; before that, only as the last
one."""


class Failed:
    """The relays that this process passes over, by their names; see `process_memory`."""

    def __init__(self) -> None:
        self._failed: dict[str, tuple[float, PassedOver]] = {}

    def note(self, relay: str, error: EmailError) -> PassedOver:
        """Pass a relay over from now on."""
        failed = PassedOver(relay=relay, error=type(error).__name__, reason=str(error))
        self._failed[relay] = clock().now() + PASSED_OVER_SECONDS, failed
        return failed

    def get(self, relay: str) -> PassedOver | None:
        """Say why a relay is passed over; None where it is not."""
        until, failed = self._failed.get(relay, (0.0, None))
        return failed if clock().now() < until else None


class RelayChoice:
    """The relays of one try, in the order of choice, looked up when one is first asked for.

    Args:
        requested: what the caller names: that, and no other.
        settings: decide on failover, and on the default delivery.
    """

    def __init__(self, requested: RelayInput, settings: SmtpRelaySettings) -> None:
        self._requested = requested
        self._settings = settings
        self._chosen: Relay | EmailError | None = None
        self._others: list[Connected] = []

    def get(self) -> Relay:
        """Return the relay that is asked now.

        Raises:
            EmailError: as `choose_relay`; a copy for each mail that asks.
        """
        if self._chosen is None:
            try:
                self._chosen = self._choose()
            except EmailError as error:
                self._chosen = error
        if isinstance(self._chosen, EmailError):
            raise self._chosen.copy()
        return self._chosen

    @property
    def has_another(self) -> bool:
        """Whether there is a relay to fail over to."""
        return bool(self._others)

    def without_failover(self) -> RelayChoice:
        """Choose anew, and only the first."""
        settings = self._settings.model_copy(update={"failover": False})
        return RelayChoice(self._requested, settings)

    def fail_over(self, error: EmailError) -> bool:
        """Go on with the next relay, and pass this one over for a while.

        Args:
            error: of a mail of which nothing was handed over.

        Returns:
            Whether there is a next one.
        """
        failed_relay = self.get()
        while self._others:
            candidate = self._others.pop(0)
            try:
                relay = relay_of(candidate.load(), self._settings)
            except EmailError as wrong:  # told, and not in the way of those after it
                run_logger().error("No mail can fail over to %s: %s", candidate.name, wrong)
                continue
            error = error.copy(relay=failed_relay.name)
            failed = process_memory.of(Failed).note(failed_relay.name, error)
            before = (*failed_relay.passed_over, failed)
            passed_over = tuple(each for each in before if each.relay != relay.name)
            self._chosen = replace(relay, passed_over=passed_over)
            run_logger().warning(
                "%s Nothing was handed over: %s is next.", f"{str(error).rstrip('.')}.", relay.name
            )
            return True
        return False

    def _choose(self) -> Relay:
        """Ask once which relays are connected; those that failed a moment ago come last."""
        settings = self._settings
        if not settings.failover or self._requested is not None or settings.capture_to:
            return choose_relay(self._requested, settings)
        connected = catalog.connected()
        if not connected:
            return default_delivery(settings)
        memory = process_memory.of(Failed)
        # The sort keeps the order of choice among those that failed, and among the others.
        in_turn = sorted(connected, key=lambda each: memory.get(each.name) is not None)
        first, *self._others = in_turn
        before = connected[: connected.index(first)]
        passed_over = tuple(failed for each in before if (failed := memory.get(each.name)))
        if passed_over:
            run_logger().info(
                "%s could be given nothing a moment ago, and is passed over: %s is next.",
                " and ".join(each.relay for each in passed_over),
                first.name,
            )
        return replace(relay_of(first.load(), settings), passed_over=passed_over)
