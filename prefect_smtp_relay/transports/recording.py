"""Mail that is rendered and kept in this process, whatever relay would take it."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote

from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.render import render_mime
from prefect_smtp_relay.mail.receipt import Receipt

_TAG = re.compile(r"<[a-z][^<>]*>", re.IGNORECASE)
_CONTENT_ID = re.compile(r"""(?<=["'])cid:([^"'<>\s]+)(?=["'])""", re.IGNORECASE)


@dataclass(frozen=True)
class Preview:
    """A mail as it would be submitted.

    Args:
        message: the mail; a placeholder stands in its From where only a relay can name one.
        eml: the whole of it as MIME text, with its files; as over SMTP, Bcc is nowhere in it.
        page: the HTML part for a browser, in which inline images show too.
    """

    message: Message
    eml: bytes = field(repr=False)
    page: str = field(repr=False)

    @classmethod
    def of(cls, message: Message) -> Self:
        """Render a message, and read its files.

        Raises:
            AttachmentError: one of them vanished or changed.
        """
        return cls(message, bytes(render_mime(message)), _with_images(message))

    @property
    def html(self) -> str:
        """The HTML part."""
        return self.message.html

    @property
    def text(self) -> str:
        """The plain text part."""
        return self.message.text


@dataclass(eq=False)
class Captor:
    """A transport that renders every message, and hands over none."""

    previews: list[Preview] = field(default_factory=list)

    @property
    def name(self) -> str:
        """``preview:``, for logs and receipts."""
        return "preview:"

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Keep a message, and answer as a relay would that takes it.

        Raises:
            AttachmentError: a file vanished or changed.
        """
        preview = Preview.of(message)
        self.previews.append(preview)
        return Receipt.for_message(
            message,
            transport=self.name,
            outcome="accepted",
            accepted=[mailbox.address for mailbox in envelope.forward_paths],
            response="250 only rendered",
            size=len(preview.eml),
        )


_captors: list[Captor] = []
"""Not a context variable: the threads that a flow starts itself must submit nothing either."""


@contextmanager
def capturing() -> Iterator[Captor]:
    """Submit no mail of this process: every relay, also one that is named, is this captor."""
    captor = Captor()
    _captors.append(captor)
    try:
        yield captor
    finally:
        _captors.remove(captor)


def current_captor() -> Captor | None:
    """The captor of this process, while there is one."""
    return _captors[-1] if _captors else None


def _with_images(message: Message) -> str:
    """Put inline images into the HTML: a browser does not know what ``cid:`` refers to."""
    images = {image.content_id: image for image in message.inline_images}

    def shown(found: re.Match[str]) -> str:
        content_id = html.unescape(found[1])
        image = images.get(content_id) or images.get(unquote(content_id))
        return found[0] if image is None else _data_url(image)

    return _TAG.sub(lambda tag: _CONTENT_ID.sub(shown, tag[0]), message.html)


def _data_url(image: Attachment) -> str:
    octets = b"".join(image.blocks())
    return f"data:{html.escape(image.media_type)};base64,{b64encode(octets).decode('ascii')}"
