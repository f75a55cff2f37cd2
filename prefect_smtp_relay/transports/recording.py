"""Mail as files to look at: what would be submitted, and is not."""

from __future__ import annotations

import hashlib
import html
import re
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.render import render_mime
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.spool.local import LocalStore

_TAG = re.compile(r"<[a-z][^<>]*>", re.IGNORECASE)
_CONTENT_ID = re.compile(r"""(?<=["'])cid:([^"'<>\s]+)(?=["'])""", re.IGNORECASE)


@dataclass(frozen=True)
class Preview:
    """A mail as it would be submitted.

    Args:
        message: the mail; a placeholder is its From where only a relay can name one.
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

    @property
    def files(self) -> dict[str, bytes]:
        """What a person looks at, by the ends of the files' names."""
        return {".html": self.page.encode(), ".txt": f"{self.text}\n".encode(), ".eml": self.eml}


class RecordingTransport:
    """A transport that writes every message into files to look at, and hands over none.

    Args:
        folder: created with mode 0700 when the first message is written; files have 0600.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = LocalStore(folder, "capture_to")

    @property
    def name(self) -> str:
        """``capture:`` and the folder."""
        return f"capture:{self._folder}"

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Write a message as ``.eml``, ``.html`` and ``.txt``; the same one again replaces itself.

        Returns:
            A receipt with the outcome ``stored``, which nobody has accepted.

        Raises:
            AttachmentError: a file vanished or changed; nothing is written.
            TransientFailure: the disk is full or failing.
            RelayConfigurationError: ``capture_to`` names a place that cannot be written to.
        """
        del envelope  # nobody gets it
        preview, stem = Preview.of(message), _stem(message)
        for end, text in preview.files.items():
            self._store.replace(stem + end, text)
        return Receipt.for_message(
            message,
            transport=self.name,
            outcome="stored",
            accepted=(),
            response=f"stored as {self._folder / stem}.eml",
            size=len(preview.eml),
        )


def _stem(message: Message) -> str:
    """Name a message's files: they sort by time, and no character comes from outside."""
    subject = re.sub(r"[^a-z0-9]+", "-", message.subject.lower()).strip("-")[:40].strip("-")
    digest = hashlib.sha256(message.message_id.encode()).hexdigest()[:8]
    return f"{message.date.astimezone(UTC):%Y%m%dT%H%M%S}-{subject or 'mail'}-{digest}"


def _with_images(message: Message) -> str:
    """Put inline images into the HTML: a browser does not know what ``cid:`` refers to."""
    images = {image.content_id: image for image in message.inline_images}

    def shown(found: re.Match[str]) -> str:
        content_id = html.unescape(found[1])
        image = images.get(content_id) or images.get(unquote(content_id))
        return found[0] if image is None else _data_url(image)

    return _TAG.sub(lambda tag: _CONTENT_ID.sub(shown, tag[0]), message.html)


def _data_url(image: Attachment) -> str:
    data = b"".join(image.chunks())
    return f"data:{html.escape(image.media_type)};base64,{b64encode(data).decode('ascii')}"
