"""What the caller wants to send, checked: the draft, and the message once a sender is known."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from html import escape

from prefect_smtp_relay.exceptions import MessageError, NoRecipients
from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.attachments.reading import (
    AttachmentInput,
    read_attachments,
    read_inline_images,
)
from prefect_smtp_relay.mail.attachments.size_limit import SizeLimit
from prefect_smtp_relay.mail.categories import CategoriesInput, read_categories
from prefect_smtp_relay.mail.headers.advisory import (
    Importance,
    automatic_headers,
    check_start,
    check_thread,
    importance_headers,
    move_root,
    thread_headers,
    thread_root,
)
from prefect_smtp_relay.mail.headers.fields import HeaderFields, check_text
from prefect_smtp_relay.mail.headers.free import split_headers
from prefect_smtp_relay.mail.headers.unsubscribe import UnsubscribeInput, unsubscribe_headers
from prefect_smtp_relay.mail.mailbox import AddressInput, Mailbox

MAX_KEY_LENGTH = 255
SENDER_NAME = "<!-- the sender's display name -->"
"""Is where HTML shows who a mail is from, until that is known; no text of an author contains it."""
_ANSWERS = dict(thread_headers(""))


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A checked message that has no sender yet: which relay takes it decides on the default.

    Args:
        to, cc, bcc: the recipients; at least one in all.
        subject: plain text in one line.
        text, html: the two renderings of the body; without HTML it is a text alone.
        flowed: lines of the text that end in a space go on in the next one (RFC 3676).
        requested_from: the action's ``from_``, or None.
        reply_to: where answers go.
        sender: the Sender field of RFC 5322, section 3.6.2, or None.
        reverse_path: who gets the non-delivery reports, or None for the relay's choice.
        attachments, inline_images: files beside and inside the body.
        headers: free header fields, in their order, and those that arguments write.
        thread: names the conversation that the message belongs to; empty for none.
        starts_thread: whether it is the one that the others of its thread answer.
        idempotency_key: names the one mail that this is; empty for none.
        categories: labels for the relay's statistics; SMTP has no place for them.
        left_out: what of its values could not be in a mail, for the receipt.
        wording: a digest of the body as it was written, without the footer that names the run;
            empty where that is unknown. No part of the message.
    """

    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    subject: str
    text: str
    html: str
    flowed: bool = False
    requested_from: Mailbox | None = None
    reply_to: tuple[Mailbox, ...] = ()
    sender: Mailbox | None = None
    reverse_path: Mailbox | None = None
    attachments: tuple[Attachment, ...] = ()
    inline_images: tuple[Attachment, ...] = ()
    headers: HeaderFields = ()
    thread: str = ""
    starts_thread: bool = False
    idempotency_key: str = ""
    categories: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    wording: str = field(default="", compare=False)

    @property
    def visible_recipients(self) -> tuple[Mailbox, ...]:
        """Those named in a header: to and cc."""
        return self.to + self.cc

    def from_mailbox(
        self,
        mailbox: Mailbox,
        seed: str = "",
        composed_at: datetime | None = None,
        *,
        is_first: bool = True,
    ) -> Message:
        """Complete the draft.

        Args:
            mailbox: the From mailbox.
            seed: names this send; the same seed gives the same Message-ID. Empty: a random one.
            composed_at: the Date, with a time zone; now where it is None.
            is_first: of those that start its thread; a later one answers it, as two messages with
                one Message-ID show as one.
        """
        values = {name: getattr(self, name) for name in _DRAFT_FIELDS}
        values["html"] = self.html.replace(SENDER_NAME, escape(mailbox.display_name or "Prefect"))
        message_id = mint_message_id(mailbox.domain, seed)
        if self.thread:
            root = thread_root(self.thread, mailbox.domain)
            if self.starts_thread and is_first:
                message_id = root
            else:
                values["headers"] += thread_headers(root)
        return Message(
            from_=mailbox,
            message_id=message_id,
            date=_whole_second(composed_at or datetime.now(UTC)),
            **values,
        )


def _whole_second(moment: datetime) -> datetime:
    """A plain datetime: Prefect gives Pendulum's, whose ``replace`` is deprecated."""
    return datetime.fromtimestamp(int(moment.timestamp()), moment.tzinfo)


_DRAFT_FIELDS = tuple(each.name for each in fields(Draft))


@dataclass(frozen=True, kw_only=True)
class Message(Draft):
    """A whole message, the same for every transport; the same value on every try.

    Args:
        from_: the From mailbox.
        message_id: with its angle brackets.
        date: when it was composed, with a time zone.
    """

    from_: Mailbox
    message_id: str
    date: datetime

    def with_sender(self, mailbox: Mailbox) -> Message:
        """The same message, Message-ID and date included, from another mailbox.

        Its thread is the one that other messages of that mailbox's domain are in; the Message-ID of
        the one that starts it goes with it.
        """
        domains = self.from_.domain, mailbox.domain
        headers = tuple(
            (name, move_root(value, *domains) if name in _ANSWERS else value)
            for name, value in self.headers
        )
        message_id = move_root(self.message_id, *domains)
        return replace(self, from_=mailbox, headers=headers, message_id=message_id)

    @property
    def needs_smtputf8(self) -> bool:
        """Whether a header has an address that only RFC 6532 can write."""
        shown = (self.from_, self.sender, *self.visible_recipients, *self.reply_to)
        return any(mailbox is not None and mailbox.needs_smtputf8 for mailbox in shown)


def compose(
    to: AddressInput,
    subject: str,
    *,
    text: str,
    html: str,
    flowed: bool = False,
    from_: str | Mailbox | None = None,
    cc: AddressInput = None,
    bcc: AddressInput = None,
    reply_to: AddressInput = None,
    attachments: Sequence[AttachmentInput] | Mapping[str, AttachmentInput] | None = None,
    inline_images: Mapping[str, AttachmentInput] | None = None,
    headers: Mapping[str, str | None] | None = None,
    thread: str | None = "",
    starts_thread: bool | None = False,
    idempotency_key: str | None = "",
    list_unsubscribe: UnsubscribeInput = "",
    importance: Importance | None = "normal",
    reverse_path: str | Mailbox | None = None,
    left_out: Sequence[str] = (),
    size_limit: SizeLimit | None = None,
    categories: CategoriesInput = None,
    wording: str = "",
) -> Draft:
    """Check everything that a caller can get wrong, before anything is sent.

    Args:
        to, cc, bcc, reply_to: text with commas, semicolons or line ends between the mailboxes, or
            a list.
        attachments: paths, ``(name, data)`` pairs or open files.
        inline_images: content id to path or bytes.
        headers: free header fields; ``Sender`` is read as a mailbox, None leaves a field out, and
            so does an empty ``Auto-Submitted``.
        list_unsubscribe: an https URL, an address, or a list of both.
        importance: ``high``, ``normal`` or ``low``.
        size_limit: of the files, in all.
        categories: a list, or text with commas between them.

    The others are as `Draft` has them; None is empty.

    Raises:
        MessageError: naming the argument and the fix.
    """
    recipients = _parse_recipients(left_out, to=to, cc=cc, bcc=bcc)
    sender, free_headers = split_headers(headers) if headers else (None, ())
    files = read_attachments(attachments, size_limit)
    images = read_inline_images(inline_images, size_limit)
    if size_limit:
        size_limit.check(files + images)
    return Draft(
        **recipients,
        subject=check_text(subject, "subject"),
        text=check_body(text, "text"),
        html=check_body(html, "html"),
        flowed=flowed,
        requested_from=Mailbox.parse(from_, "from_") if from_ else None,
        reply_to=Mailbox.parse_list(reply_to, "reply_to"),
        sender=sender,
        attachments=files,
        inline_images=images,
        reverse_path=Mailbox.parse(reverse_path, "reverse_path") if reverse_path else None,
        headers=automatic_headers(free_headers)
        + importance_headers(importance, free_headers)
        + unsubscribe_headers(list_unsubscribe, free_headers),
        thread=check_thread(thread, free_headers),
        starts_thread=check_start(starts_thread, thread),
        idempotency_key=_check_key(idempotency_key),
        categories=read_categories(categories),
        left_out=tuple(left_out),
        wording=wording,
    )


def mint_message_id(domain: str, seed: str = "") -> str:
    """Make a Message-ID (RFC 5322, section 3.6.4) without asking DNS for this host's name.

    Args:
        domain: the sender's domain, for the part after the ``@``.
        seed: the same seed and domain give the same id; empty gives a random one.
    """
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"prefect-smtp-relay:{seed}") if seed else uuid.uuid4()
    return f"<{name}@{domain}>"


def _parse_recipients(
    left_out: Sequence[str], **values: AddressInput
) -> dict[str, tuple[Mailbox, ...]]:
    recipients = {name: Mailbox.parse_list(value, name) for name, value in values.items()}
    if not any(recipients.values()):
        problem = "; ".join(["nobody to send to", *left_out])
        raise NoRecipients(problem, "Name an address in to, cc or bcc.", field="to")
    return recipients


def _check_key(key: str | None) -> str:
    key, field = check_body("" if key is None else key, "idempotency_key"), "idempotency_key"
    if key and not key.strip():
        raise MessageError("has only spaces", 'Give it letters, or "" for none.', field=field)
    if len(key) > MAX_KEY_LENGTH:
        raise MessageError(
            f"has {len(key)} characters, of which {MAX_KEY_LENGTH} are allowed",
            "Shorten it, or pass a hash of it.",
            field=field,
        )
    return key


def check_body(body: str, field: str) -> str:
    """Return a text that a MIME part can carry.

    Raises:
        MessageError: it is not text, or contains half a character.
    """
    if not isinstance(body, str):
        raise MessageError(f"expected text, got {type(body).__name__}", field=field)
    try:
        body.encode()
    except UnicodeEncodeError as error:
        raise MessageError(
            f"contains half a character ({body[error.start]!r}) at position {error.start}",
            "Decode the text it came from with errors='replace'.",
            field=field,
        ) from None
    return body
