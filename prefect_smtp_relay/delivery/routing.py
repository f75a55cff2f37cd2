"""The one way a message goes: choose a relay, settle the sender, deliver, write the receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from prefect_smtp_relay.blocks.relays import RelayBlock
from prefect_smtp_relay.exceptions import DeliveryRefused, EmailError, NoSender, UnknownRelay
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Draft, Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.mail.sender import SenderPolicy, resolve_sender
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.runtime.events import emit_receipt
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.transports import bulk
from prefect_smtp_relay.transports.base import Transport
from prefect_smtp_relay.transports.outbox import FROM_PENDING, Outbox
from prefect_smtp_relay.transports.recording import RecordingTransport

OUTBOX = "outbox"
CAPTURE = "capture"

_ADDRESS_HEADERS = frozenset(
    {"errors-to", "mail-reply-to", "mail-followup-to", "disposition-notification-to"}
)
"""Free header fields that some readers answer to."""

RelayInput = str | RelayBlock | Transport | None
"""``smtp/NAME``, ``sendgrid/NAME``, ``outbox``, a block, a transport (as tests do), or None for
the preferred relay."""


@dataclass(frozen=True)
class Origin:
    """What stays the same over the tries of one mail.

    Args:
        seed: of the Message-ID; blank for a random one.
        composed_at: the Date; None for now.
    """

    seed: str = ""
    composed_at: datetime | None = None

    def of_part(self, number: int) -> Origin:
        """The origin of one of many mails that have this one in common."""
        return Origin(f"{self.seed}:{number}" if self.seed else "", self.composed_at)

    def of_key(self, key: str) -> Origin:
        """The origin of the one mail that a key names, in whichever run; without a key, this one.

        Args:
            key: the caller's ``idempotency_key``, which may be secret.
        """
        if not key:
            return self
        digest = hashlib.sha256(key.encode()).hexdigest()
        return Origin(f"idempotency-key-{digest}", self.composed_at)

    def complete(self, draft: Draft, mailbox: Mailbox) -> Message:
        """Complete a draft, with the same Message-ID and Date every time."""
        return draft.from_mailbox(mailbox, self.seed, self.composed_at)


@dataclass(frozen=True)
class Relay:
    """What takes the mail, and whose From it uses where the action names none.

    Args:
        name: ``smtp/NAME``, ``sendgrid/NAME``, ``outbox`` or ``capture``.
        transport: the way there.
        senders: candidates for From, in their order; blank ones count for nothing. One may be
            the username, so they are not printed.
    """

    name: str
    transport: Transport
    senders: tuple[str, ...] = field(repr=False)

    @property
    def is_default_delivery(self) -> bool:
        """Whether nothing is connected, so that mail is only stored."""
        return self.name == OUTBOX

    @property
    def submits(self) -> bool:
        """Whether mail leaves this process: only then does it need a sender, who is checked."""
        return self.name not in {OUTBOX, CAPTURE}


def open_outbox(settings: SmtpRelaySettings) -> Outbox:
    """The outbox that the settings name."""
    return Outbox(settings.outbox_path, settings.outbox_key)


def choose_relay(requested: RelayInput | Relay, settings: SmtpRelaySettings) -> Relay:
    """Decide which relay takes the mail: SMTP, else SendGrid, else default delivery.

    Args:
        requested: what the caller names, or what was chosen already; with a block, the Prefect
            API is not asked.
        settings: decide on the default delivery.

    Raises:
        RelayLookupFailed: the Prefect API could not be asked.
        UnknownRelay, RelayConfigurationError: nothing of that name, or an invalid document.
        DeliveryRefused: nothing is connected, and ``default_delivery`` is ``refuse``.
    """
    if isinstance(requested, Relay):
        return requested
    if settings.capture_to is not None:
        recording = RecordingTransport(settings.capture_to)
        return Relay(CAPTURE, recording, (settings.default_from,))
    if isinstance(requested, Transport) and not isinstance(requested, type):
        return Relay(requested.name, requested, (settings.default_from,))
    block = _requested_block(requested)
    if block is None:
        return _default_delivery(settings, wanted=requested == OUTBOX)
    senders = (block.sender_before_default(), settings.default_from, block.sender_after_default())
    return Relay(block.relay_name, block.get_transport(), senders)


def settle(
    draft: Draft, requested: RelayInput | Relay, settings: SmtpRelaySettings, origin: Origin
) -> tuple[Relay, Message]:
    """Decide which relay takes a draft, and who it is from.

    Args:
        draft: the checked message.
        requested: the caller's ``relay=``.
        settings: as of now.
        origin: what stays the same on every try.

    Raises:
        EmailError: in a text that says what to change.
    """
    policy = SenderPolicy.protecting(settings.protected_domains)
    _check_named_senders(draft, policy)
    relay = choose_relay(requested, settings)
    return relay, origin.complete(draft, _settle_sender(draft, relay, policy))


def leave_unsettled(draft: Draft, settings: SmtpRelaySettings, origin: Origin) -> Message:
    """Complete a draft that got no relay: its From may have to wait for one."""
    mailbox = resolve_sender(draft.requested_from, (settings.default_from,))
    return origin.complete(draft, mailbox or FROM_PENDING)


def deliver(message: Message, envelope: Envelope, relay: Relay) -> Receipt:
    """Hand a message to a relay.

    Raises:
        EmailError: the relay did not take it.
    """
    try:
        receipt = relay.transport.deliver(message, envelope)
    except EmailError as error:
        _name_failure(error, message, relay)
        raise
    return receipt.model_copy(update={"relay": relay.name})


def deliver_all(
    mails: Sequence[tuple[Message, Envelope]], relay: Relay, connections: int
) -> list[Receipt | EmailError]:
    """Hand many messages to a relay.

    Args:
        mails: messages with their envelopes.
        relay: takes them.
        connections: how many at once.

    Returns:
        What became of each, in their order.
    """
    results = bulk.deliver_all(relay.transport, mails, connections)
    for number, (message, _) in enumerate(mails):
        result = results[number]
        if isinstance(result, EmailError):
            _name_failure(result, message, relay)
        else:
            results[number] = result.model_copy(update={"relay": relay.name})
    return results


def conclude(receipt: Receipt) -> None:
    """Log in one line, and tell in one event, what became of a mail."""
    _log(receipt)
    if receipt.relay != CAPTURE:
        emit_receipt(receipt)


def resubmit(message: Message, envelope: Envelope, settings: SmtpRelaySettings) -> Receipt:
    """Deliver what the outbox held; the relay decides on a From that the action did not name.

    Raises:
        EmailError: it stays in the outbox.
    """
    relay = choose_relay(None, settings)
    if not relay.is_default_delivery:
        policy = SenderPolicy.protecting(settings.protected_domains)
        message = message.with_sender(_settle_sender(message, relay, policy))
        envelope = Envelope(message.sender or message.from_, envelope.forward_paths)
    receipt = deliver(message, envelope, relay)
    conclude(receipt)
    return receipt


def _name_failure(error: EmailError, message: Message, relay: Relay) -> None:
    error.relay, error.message_id = relay.name, message.message_id


def _requested_block(requested: RelayInput) -> RelayBlock | None:
    if isinstance(requested, RelayBlock):
        return requested
    if requested is None:
        return catalog.preferred()
    if not isinstance(requested, str):
        raise UnknownRelay(
            f"relay: {type(requested).__name__} is no relay; pass an SMTP or a SendGrid block, or"
            " smtp/NAME."
        )
    return None if requested == OUTBOX else catalog.named(requested)


def _default_delivery(settings: SmtpRelaySettings, *, wanted: bool) -> Relay:
    if settings.default_delivery == "refuse" and not wanted:
        raise DeliveryRefused(
            "no relay is connected, and default_delivery is refuse. Save an SMTP or a SendGrid"
            " block, or set PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_DELIVERY=store."
        )
    return Relay(OUTBOX, open_outbox(settings), (settings.default_from,))


def _check_named_senders(draft: Draft, policy: SenderPolicy) -> None:
    named = [("reply_to", mailbox) for mailbox in draft.reply_to]
    named += [("from_", draft.requested_from)] if draft.requested_from else []
    named += [("headers['Sender']", draft.sender)] if draft.sender else []
    for name, value in draft.headers:
        if name.lower() in _ADDRESS_HEADERS:
            field = f"headers[{name!r}]"
            named += [(field, mailbox) for mailbox in Mailbox.parse_list(value, field)]
    for field, mailbox in named:
        policy.check(mailbox, field)


def _settle_sender(draft: Draft, relay: Relay, policy: SenderPolicy) -> Mailbox:
    """The operator's own default is exempt from the policy, where nothing is submitted."""
    mailbox = resolve_sender(draft.requested_from, relay.senders)
    if not relay.submits:
        return mailbox or FROM_PENDING
    if mailbox is None:
        raise NoSender(
            f"{relay.name}: nobody to send as. Pass from_=, or set from_address in the relay's"
            " block, or PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_FROM."
        )
    policy.check(mailbox, "From")
    return mailbox


def _log(receipt: Receipt) -> None:
    if receipt.relay == CAPTURE:
        run_logger().info(
            "Captured %s: %s. Nothing was submitted; unset capture_to to submit mail.",
            receipt.message_id,
            receipt.response,
        )
        return
    if receipt.outcome == "stored":
        run_logger().warning(
            "No relay is connected: the mail %s was %s. Save an SMTP or a SendGrid block, then run"
            " `prefect-smtp-relay outbox flush` to submit it.",
            receipt.message_id,
            receipt.response,
        )
        return
    count = len(receipt.accepted) + receipt.bcc_accepted
    run_logger().info(
        "%s accepted %s for %d recipient(s): %s",
        receipt.relay,
        receipt.message_id,
        count,
        receipt.response,
    )
    if receipt.refused or receipt.bcc_refused:
        run_logger().warning(
            "%s refused %d recipient(s) of %s: %s",
            receipt.relay,
            len(receipt.refused) + receipt.bcc_refused,
            receipt.message_id,
            "; ".join(f"{a}: {refusal}" for a, refusal in receipt.refused.items()) or "in Bcc",
        )
