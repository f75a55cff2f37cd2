"""Which relay takes the mail: SMTP, else SendGrid, else default delivery; and who it is from."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prefect_smtp_relay.blocks.documents import split_name
from prefect_smtp_relay.blocks.relays import RelayBlock
from prefect_smtp_relay.exceptions import DeliveryRefused, NoSender, UnknownRelay
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.receipt import PassedOver, Receipt
from prefect_smtp_relay.mail.sender import FROM_PENDING, SenderPolicy, resolve_sender
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.runtime.limits import RelayLimits
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.transports.base import Transport

if TYPE_CHECKING:
    from prefect_smtp_relay.transports.outbox import Outbox

OUTBOX = "outbox"
CAPTURE = "capture"

RelayInput = str | RelayBlock | Transport | None
"""``smtp/NAME``, ``sendgrid/NAME``, ``outbox``, a block, a transport (as tests do), or None for
the preferred relay."""


@dataclass(frozen=True)
class Relay:
    """What takes the mail, and whose From it uses where the action names none.

    Args:
        name: ``smtp/NAME``, ``sendgrid/NAME``, ``outbox`` or ``capture``.
        transport: the way there.
        senders: candidates for From, in their order; empty ones are passed over. One may be the
            username, so they are not printed.
        reverse_path: of mails that name none, or None for their sender.
        submits: whether mail leaves this process: only then does it need a sender.
        limits: what all workers together may ask of it.
        passed_over: relays that go before it, and that could not be given the mail.
    """

    name: str
    transport: Transport
    senders: tuple[str, ...] = field(repr=False)
    reverse_path: Mailbox | None = None
    submits: bool = True
    limits: RelayLimits | None = None
    passed_over: tuple[PassedOver, ...] = ()

    def sign(self, receipt: Receipt) -> Receipt:
        """Say in the transport's receipt which relay it was, and in place of which."""
        update = {"relay": self.name, "failed_over_from": self.passed_over}
        return receipt.model_copy(update=update)

    def sender(self, requested: Mailbox | None, policy: SenderPolicy) -> Mailbox:
        """Decide who a mail is from.

        Args:
            requested: the action's ``from_``, which was checked before.
            policy: what no workflow may use. The operator's own default is exempt from it where
                nothing is submitted.

        Raises:
            NoSender: nobody names one.
            ProtectedDomain: the one that the relay names is protected.
        """
        mailbox = resolve_sender(requested, self.senders)
        if not self.submits:
            return mailbox or FROM_PENDING
        if mailbox is None:
            raise NoSender(
                "nobody to send as",
                "Pass from_=, or set *From address* (`from_address`) in the relay's block, or"
                " PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_FROM.",
                field=self.name,
            )
        policy.check(mailbox, "From")
        return mailbox


def open_outbox(settings: SmtpRelaySettings) -> Outbox:
    """Return the outbox that the settings name."""
    # Its format is loaded where mail is stored.
    from prefect_smtp_relay.transports.outbox import Outbox

    return Outbox(settings.open_spool(), keeps_unknown=settings.unknown_outcome == "keep")


def choose_relay(requested: RelayInput, settings: SmtpRelaySettings) -> Relay:
    """Decide which relay takes the mail: SMTP, else SendGrid, else default delivery.

    Args:
        requested: what the caller names; with a block, the Prefect API is not asked.
        settings: decide on the default delivery.

    Raises:
        RelayLookupFailed: the Prefect API could not be asked.
        UnknownRelay, RelayConfigurationError: nothing of that name, or an invalid document.
        DeliveryRefused: nothing is connected, and ``default_delivery`` is ``refuse``.
    """
    if settings.capture_to is not None:
        from prefect_smtp_relay.transports.recording import RecordingTransport

        recording = RecordingTransport(settings.capture_to)
        return Relay(CAPTURE, recording, (settings.default_from,), submits=False)
    if isinstance(requested, Transport) and not isinstance(requested, type):
        return Relay(requested.name, requested, (settings.default_from,))
    block = _requested_block(requested)
    if block is None:
        return default_delivery(settings, wanted=requested == OUTBOX)
    return relay_of(block, settings)


def relay_of(block: RelayBlock, settings: SmtpRelaySettings) -> Relay:
    """Return the relay that a block describes."""
    senders = (block.sender_before_default(), settings.default_from, block.sender_after_default())
    bounces_to = block.bounces_to()
    reverse_path = Mailbox.parse(bounces_to, "reverse_path") if bounces_to else None
    return Relay(
        block.relay_name,
        block.get_transport(),
        senders,
        reverse_path,
        limits=RelayLimits.of(block),
    )


def default_delivery(settings: SmtpRelaySettings, *, wanted: bool = False) -> Relay:
    """Return the outbox, where mail is stored while nothing is connected.

    Args:
        settings: may refuse that.
        wanted: whether the caller names it.

    Raises:
        DeliveryRefused: ``default_delivery`` is ``refuse``.
    """
    if settings.default_delivery == "refuse" and not wanted:
        raise DeliveryRefused(
            "no relay is connected, and default_delivery is refuse",
            "Save an SMTP or a SendGrid block, or set"
            " PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_DELIVERY=store.",
        )
    return Relay(OUTBOX, open_outbox(settings), (settings.default_from,), submits=False)


def check_relay(requested: RelayInput) -> None:
    """Refuse what cannot name a relay; the Prefect API is not asked.

    Raises:
        UnknownRelay: it is neither a block, nor a transport, nor like ``smtp/NAME``.
    """
    if isinstance(requested, str):
        if requested != OUTBOX:
            split_name(requested)
    elif inspect.iscoroutine(requested):
        requested.close()
        raise UnknownRelay(
            "is a coroutine", 'Await it: relay=await SMTP.load("NAME").', field="relay"
        )
    elif not isinstance(requested, RelayBlock | Transport | None) or isinstance(requested, type):
        raise UnknownRelay(
            f"{type(requested).__name__} is not a relay",
            "Pass an SMTP or a SendGrid block, or smtp/NAME.",
            field="relay",
        )


def _requested_block(requested: RelayInput) -> RelayBlock | None:
    check_relay(requested)
    if isinstance(requested, RelayBlock):
        return requested
    if not isinstance(requested, str):
        return catalog.preferred()
    return None if requested == OUTBOX else catalog.named(requested)
