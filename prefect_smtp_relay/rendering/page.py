"""The page around the body: one centred column, readable on a phone and in the dark."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

from prefect_smtp_relay.exceptions import MessageError

_WEB_ADDRESS = re.compile(r"https?://[^\s\"<>]+")


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands above and below the body.

    Args:
        logo_url: an http(s) address of a picture to show above it; blank for none.
        name: stands above it where there is no picture, or where it is not shown.
        preheader: what inboxes show behind the subject; one line of text.
        footer: Markdown that stands below it; blank for none.

    Raises:
        MessageError: the logo has another kind of address.
    """

    logo_url: str = ""
    name: str = ""
    preheader: str = ""
    footer: str = ""

    def __post_init__(self) -> None:
        if self.logo_url and not _WEB_ADDRESS.fullmatch(self.logo_url):
            raise MessageError(
                f"custom_logo_url: {self.logo_url!r} is no web address; write https://..."
            )


def wrap_in_page(fragment: str, logo_url: str = "", footer: str = "") -> str:
    """Put an HTML fragment into ``layout.html``.

    Args:
        fragment: the body's HTML.
        logo_url: the address of a picture to show above it; blank for none.
        footer: HTML to show below it; blank for none.

    Returns:
        A whole HTML document.
    """
    header = f'<p><img src="{html.escape(logo_url)}" alt="" height="40"></p>\n'
    below = f'<hr>\n<div style="font-size: 13px;">\n{footer}</div>\n'
    return _layout().substitute(
        header=header if logo_url else "", content=fragment, footer=below if footer else ""
    )


@cache
def _layout() -> Template:
    return Template(files(__package__).joinpath("layout.html").read_text(encoding="utf-8"))
