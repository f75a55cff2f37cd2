"""The "Notification by Email" block: who gets an automation's mail, or a script's ``notify``."""

from __future__ import annotations

import functools
import re
from typing import Any, ClassVar, Literal

import anyio.to_thread
from prefect.blocks.abstract import NotificationBlock, NotificationError
from pydantic import ConfigDict, Field, HttpUrl, field_validator

from prefect_smtp_relay.blocks import fields
from prefect_smtp_relay.blocks.base import CleanBlock, OnByDefault, without_defaults
from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.compose.origin import Origin
from prefect_smtp_relay.delivery.routing import check_relay
from prefect_smtp_relay.delivery.short_retry import deliver_soon
from prefect_smtp_relay.exceptions import EmailError, InvalidField, MessageError, UnknownRelay
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.notifications.grouping.counting import First, count_unless_first
from prefect_smtp_relay.notifications.grouping.recipients import Recipients
from prefect_smtp_relay.notifications.grouping.sources import told_failure
from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.quoting import escape_markdown, quote_text
from prefect_smtp_relay.runtime import in_server as server_process
from prefect_smtp_relay.runtime.events import telling_failure
from prefect_smtp_relay.runtime.log import forward_transport_log, run_logger
from prefect_smtp_relay.runtime.run import is_async_caller
from prefect_smtp_relay.settings import SmtpRelaySettings, current_settings
from prefect_smtp_relay.settings.values import read_duration
from prefect_smtp_relay.transports.masking import mask

_SUBJECT = "Prefect notification"
_LINE_END_IN_PARAGRAPH = re.compile(r"(?<=\S)[ \t]*\r?\n(?=[ \t]*\S)")
_SPACES_AND_CONTROLS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")

forward_transport_log()


class SendAnEmail(CleanBlock, NotificationBlock):
    """Send an email to fixed recipients, through the relay that your team connected.

    Choose it in an automation's action "Send a notification", or call `notify` from Python. The
    body is plain text: it keeps its lines, what is between backticks shows as code, and addresses
    are links. With *Markdown* switched on it is Markdown. What looks like a secret is masked.

    Example:
        Load the block and send an email:
        ```python
        from prefect_smtp_relay import SendAnEmail

        on_call = SendAnEmail.load("BLOCK_NAME")
        on_call.notify("The import has failed.", subject="Import")
        ```
    """

    _block_type_name: ClassVar[str | None] = "Notification by Email"
    _block_type_slug: ClassVar[str | None] = "send-an-email"
    _logo_url: ClassVar[HttpUrl | None] = fields.LOGO_URL
    _documentation_url: ClassVar[HttpUrl | None] = fields.documentation_url("automations")
    _description: ClassVar[str | None] = (
        "Send an email to fixed recipients, through the relay that your team connected by a block"
        ' of the type SMTP or SendGrid. For the action "Send a notification" of automations.'
    )

    # Pydantic takes the last base's value of a key that both bases set.
    model_config: ClassVar[ConfigDict] = ConfigDict(json_schema_extra=without_defaults)

    to: str = Field(
        title="To",
        description="The recipients, with commas between them.",
        examples=["On call <oncall@example.org>, ops@example.org"],
    )
    cc: str = Field(
        default="",
        title="Cc",
        description="More recipients, shown to all.",
    )
    bcc: str = Field(
        default="",
        title="Bcc",
        description="More recipients, shown to nobody.",
    )
    from_address: str = Field(
        default="",
        title="From address",
        description="The sender; empty for the one of the relay.",
        examples=["Prefect <prefect@example.org>"],
    )
    reply_to: str = Field(
        default="",
        title="Reply to",
        description="Where answers go; empty for the sender.",
    )
    subject_prefix: str = Field(
        default="",
        title="Subject prefix",
        description="What each subject begins with.",
        examples=["[production]"],
    )
    thread: str = Field(
        default="",
        title="Thread",
        description="A key: mails of one key show in one thread; empty for a thread each.",
    )
    markdown: bool = Field(
        default=False,
        title="Markdown",
        description="Read the body as Markdown; messages of states are not.",
    )
    tone: Literal["", "critical", "warning", "good", "info"] = Field(
        default="",
        title="Tone",
        description="The colour of a bar above the body; empty for none.",
    )
    labels: str = Field(
        default="",
        title="Labels",
        description="Words to show above the body, with commas between them.",
        examples=["production, on call"],
    )
    include_header: OnByDefault = Field(
        default=True,
        title="Include header",
        description="Show the logo, or the name, above the body. Empty: on.",
    )
    include_footer: OnByDefault = Field(
        default=True,
        title="Include footer",
        description="Say below the body that Prefect sent it. Empty: on.",
    )
    custom_logo_url: str = Field(
        default="",
        title="Logo URL",
        description="The web address of a picture to show above the body.",
    )
    relay: str = Field(
        default="",
        title="Relay",
        description="A connected relay, as smtp/NAME or sendgrid/NAME; empty for the preferred"
        " one; outbox to store mail only.",
    )
    group_within: str = Field(
        default="",
        title="Group within",
        description="Send the first of a kind at once, count further ones for so long, and tell of"
        " them in one mail; empty for the setting group_within, 0 for never.",
        examples=["15m"],
    )

    _check_from = field_validator("from_address")(fields.check_mailbox)
    _check_lists = field_validator("to", "cc", "bcc", "reply_to")(fields.check_mailboxes)

    @field_validator("to")
    @classmethod
    def _check_to(cls, value: str) -> str:
        if not value:
            raise InvalidField("is empty", "Write an address, such as oncall@example.org.")
        return value

    @field_validator("custom_logo_url")
    @classmethod
    def _check_logo(cls, value: str) -> str:
        try:
            return Frame(value.strip()).logo_url
        except MessageError as error:
            raise error.copy(field="") from error

    @field_validator("subject_prefix", "thread", "labels")
    @classmethod
    def _check_prefix(cls, value: str) -> str:
        return _in_one_line(value)

    @field_validator("relay")
    @classmethod
    def _check_relay(cls, value: str) -> str:
        value = value.strip()
        try:
            check_relay(value or None)
        except UnknownRelay as error:
            raise InvalidField(error.problem, error.fix) from error
        return value

    @field_validator("group_within")
    @classmethod
    def _check_group_within(cls, value: str) -> str:
        read_duration(value)
        return value.strip()

    def notify(self, body: str, subject: str | None = None) -> Any:
        """Send the email: at once in sync code, when awaited in async code.

        A relay's failure is logged, and raises nothing except within ``raise_on_failure()``, as
        with all of Prefect's notification blocks. Transient ones are tried up to three times in
        some ten seconds; what is not accepted then is kept in the outbox.

        Args:
            body: plain text, or Markdown where the block says so; line ends are kept. Where a
                template has become empty, it is the subject.
            subject: its line ends become spaces; by default "Prefect notification".

        Returns:
            None in sync code; in async code a coroutine, which must be awaited.

        Raises:
            NotificationError: the mail was not accepted or stored; its ``log`` says why and what
                to change.
        """
        if is_async_caller():
            return self.anotify(body, subject)
        return self._notify(body, subject)

    async def anotify(self, body: str, subject: str | None = None) -> None:
        """Send the email from async code, without blocking the event loop; else as `notify`."""
        with server_process.entered():
            await anyio.to_thread.run_sync(self._notify, body, subject)

    def _notify(self, body: str, subject: str | None) -> None:
        try:
            with telling_failure():
                settings = current_settings()
                subject = _in_one_line(f"{self.subject_prefix} {mask(subject or _SUBJECT)}")
                body = body if body.strip() else subject
                first = self._count(settings, body, subject)
                if first is None:
                    return
                thread = self.thread or first.key
                composed = self._compose(settings, body, subject, thread)
            with first.telling(subject, thread):
                deliver_soon(composed, self.relay or None, settings)
        except EmailError as error:
            run_logger().error("The notification failed: %s", error)
            if self._raise_on_failure:
                raise NotificationError(_reason(error)) from error

    def _count(self, settings: SmtpRelaySettings, body: str, subject: str) -> First | None:
        """Decide whether this is mailed at once; None where it is only counted."""
        within = read_duration(self.group_within or settings.group_within)
        if not within:
            return First()
        recipients = self.recipients
        describe = functools.partial(told_failure, subject, body, recipients.reference, within)
        return count_unless_first(describe, recipients)

    @property
    def recipients(self) -> Recipients:
        """Who gets its mails, and how they are sent."""
        mail: dict[str, Any] = {
            "to": self.to,
            "cc": self.cc,
            "bcc": self.bcc,
            "reply_to": self.reply_to,
            "from_": self.from_address or None,
            "include_header": self.include_header,
            "custom_logo_url": self.custom_logo_url,
        }
        return Recipients(mail, self.relay, self._block_document_name or "")

    def _compose(self, settings: SmtpRelaySettings, body: str, subject: str, thread: str) -> Draft:
        mail: dict[str, Any] = {
            **self.recipients.mail,
            "subject": subject,
            "body": _keep_lines(mask(body)) if self.markdown else quote_text(mask(body)),
            "thread": thread,
            "tone": self.tone,
            "labels": self.labels,
            "include_footer": self.include_footer,
        }
        return draft(mail, settings, self._origin())

    def _origin(self) -> Origin | None:
        """An automation, where this is Prefect's server; else the run is asked for."""
        if not server_process.is_entered():
            return None
        name = escape_markdown(self._block_document_name or "")
        return Origin(f"an automation, with the block **{name}**," if name else "an automation")


def _reason(error: EmailError) -> str:
    if not error.kept:
        return str(error)
    return (
        f"{error} The mail is stored as {error.kept}; `prefect-smtp-relay outbox flush` submits it"
        " again."
    )


def _in_one_line(subject: str) -> str:
    """A rendered template may hold line ends: they must neither stop the mail nor add a header."""
    return _SPACES_AND_CONTROLS.sub(" ", subject).strip()


def _keep_lines(body: str) -> str:
    """Automations write one fact a line; Markdown would fill them into one paragraph."""
    return _LINE_END_IN_PARAGRAPH.sub("  \n", body)
