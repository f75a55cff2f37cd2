"""What is around the body of a mail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.mail.headers.fields import check_text
from prefect_smtp_relay.mail.message import check_body
from prefect_smtp_relay.rendering.labels import Label, Tone

_WEB_ADDRESS = re.compile(r"https?://[^\s\"<>\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Frame:
    """What is above and below the body, and around it.

    Args:
        logo_url: an http(s) address of a picture to show above it; empty for none.
        name: shown above it where there is no picture, or where that is not shown.
        preheader: what inboxes show after the subject; one line of text.
        footer: Markdown below it; empty for none.
        title: of the HTML document: the subject.
        language: that the body is written in, as a tag of RFC 5646.
        tone: the colour of a bar above the body; empty for none.
        labels: above the heading.

    Raises:
        MessageError: the logo has another kind of address, the preheader is not one line, or the
            footer is not a text.
    """

    logo_url: str = ""
    name: str = ""
    preheader: str = ""
    footer: str = ""
    title: str = ""
    language: str = "en"
    tone: Tone | Literal[""] = ""
    labels: tuple[Label, ...] = ()

    def __post_init__(self) -> None:
        check_web_address(self.logo_url, "custom_logo_url")
        check_text(self.preheader, "preheader")
        check_body(self.footer, "footer")


def check_web_address(value: str, field: str) -> str:
    """Return an address that a picture can have, or the empty text for none.

    Raises:
        MessageError: naming the field, as `custom_logo_url`.
    """
    if not isinstance(value, str):
        raise MessageError(f"expected text, got {type(value).__name__}", field=field)
    if value and not _WEB_ADDRESS.fullmatch(value):
        raise MessageError(f"{value!r} is not a web address", "Write https://...", field=field)
    return value
