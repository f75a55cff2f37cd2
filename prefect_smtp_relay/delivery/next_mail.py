"""Which relay takes the next mail, and why: for commands and flows that tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prefect_smtp_relay.blocks.documents import Connected, in_order
from prefect_smtp_relay.exceptions import EmailError, RelayConfigurationError
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.settings import SmtpRelaySettings, current_settings


@dataclass(frozen=True)
class RelayState:
    """One connected relay.

    Args:
        name: ``smtp/NAME``.
        transport: its loggable name, or empty where the document is invalid.
        priority: None where it cannot be read.
        error: why the document is invalid, or empty.
    """

    name: str
    transport: str = ""
    priority: int | None = None
    error: str = ""

    @property
    def text(self) -> str:
        """What it is, or what is wrong with it."""
        if self.error:
            return f"is invalid: {self.error}"
        return f"{self.transport}, priority {self.priority}"

    def as_data(self) -> dict[str, Any]:
        """For ``--json``."""
        return dict(vars(self))


@dataclass(frozen=True)
class NextMail:
    """Where the next mail goes.

    Args:
        relays: in the order of choice.
        relay: the name of the one that is used; ``outbox`` or ``refused`` where none is connected;
            empty where the choice itself fails.
        sentence: the same for people.
        why: the reason of the choice.
        fails: whether a wrong document makes the next mail fail.
    """

    relays: tuple[RelayState, ...]
    relay: str
    sentence: str
    why: str = ""
    fails: bool = False

    @property
    def text(self) -> str:
        """Where the next mail goes, and why."""
        return f"{self.sentence} Why: {self.why}." if self.why else self.sentence

    def turn_of(self, state: RelayState) -> str:
        """What a relay does with the next mail; empty for one that does not get it."""
        if state.name != self.relay:
            return ""
        return "fails the next mail" if state.error else "takes the next mail"

    def as_data(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"relay": self.relay, "text": self.sentence, "why": self.why}


def look_up() -> NextMail:
    """Ask which relays are connected, and tell which one takes the next mail.

    Raises:
        EmailError: the Prefect API could not be asked, or a setting is invalid.
    """
    documents = catalog.documents()
    if not documents:
        return _nothing_connected(current_settings())
    try:
        states = tuple(map(_state_of, in_order(documents)))
    except RelayConfigurationError as error:
        states = tuple(_state_of(document) for document in documents)
        return NextMail(states, "", f"The next mail fails: {error}", fails=True)
    first = states[0]
    if first.error:
        return NextMail(states, first.name, f"The next mail fails: {first.error}", fails=True)
    return NextMail(states, first.name, f"The next mail goes through {first.name}.", _why(states))


def _nothing_connected(settings: SmtpRelaySettings) -> NextMail:
    if settings.default_delivery == "refuse":
        return NextMail((), "refused", "No relay is connected; mail is refused.")
    place = settings.open_spool().name
    return NextMail((), "outbox", f"No relay is connected; mail is stored in {place}.")


def _state_of(document: Connected) -> RelayState:
    try:
        priority = document.priority
    except RelayConfigurationError as error:
        return RelayState(document.name, error=str(error))
    try:
        return RelayState(document.name, document.load().transport_name, priority)
    except EmailError as error:
        return RelayState(document.name, priority=priority, error=str(error))


def _why(states: tuple[RelayState, ...]) -> str:
    first, others = states[0], states[1:]
    kind = first.name.partition("/")[0]
    rivals = [state for state in others if state.name.startswith(f"{kind}/")]
    if not others:
        return "it is the only one"
    if not rivals:
        return "SMTP goes before SendGrid"
    if rivals[0].priority == first.priority:
        return f"priority {first.priority} as {rivals[0].name}, and the older block"
    return f"priority {first.priority} is the highest of the {kind} blocks"
