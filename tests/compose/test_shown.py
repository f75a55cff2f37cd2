"""What a mail shows beside its body: its sender's name, its first words, its pictures' width."""

from __future__ import annotations

import re
import struct
from html import unescape
from typing import Any

import pytest

from prefect_smtp_relay import render

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 1600, 9)
PREHEADER = re.compile(r'class="preheader"[^>]*>(.*?)[<\u034f]')
HEADER = re.compile(r'class="header"[^>]*>(.*?)</td>', re.DOTALL)


def page(body: str, **options: Any) -> str:
    """The HTML of a mail."""
    return render("bob@example.org", "Checkout fails", body, **options).html


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ('"Acme <b>" <ops@example.org>', "Acme &lt;b&gt;"),
        ('"Acme & Co" <ops@example.org>', "Acme &amp; Co"),
        ("ops@example.org", "Prefect"),
    ],
)
def test_the_name_above_the_card_is_the_senders(sender: str, shown: str) -> None:
    """It is text, also in place of a logo; without a display name it is Prefect."""
    (name,) = HEADER.findall(page("B", from_=sender))
    assert name == shown
    with_logo = page("B", from_=sender, custom_logo_url="https://example.org/l.png")
    assert f'alt="{shown}"' in with_logo
    assert "display name" not in with_logo


def test_the_setting_names_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    """With header_name all senders have one name."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_HEADER_NAME", "Acme Status")
    assert HEADER.findall(page("B", from_="Ann <ann@example.org>")) == ["Acme Status"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("# Checkout fails\n\nOne `in` [five](https://x.org)\nfails.", "One in five fails."),
        ("checkout FAILS\n\nSince **03:07**.", "Since 03:07."),
        ("# A\n\n- one\n- two", "one"),
        ("# A\n\n```\nValueError: <x>\n```\n\nText", "ValueError: &lt;x&gt;"),
        ("# A\n\n| b |\n|-|\n| c |", ""),
        ("![graph](cid:g)\n\nText", "graph"),
        ("word " * 60, ("word " * 29 + "word")[:149].rstrip() + "\u2026"),
    ],
)  # fmt: skip
def test_inboxes_show_the_first_paragraph(body: str, words: str) -> None:
    """Never a heading, the name above the card or the subject again."""
    images = {"g": ("g.png", PNG)} if "cid:g" in body else None
    assert PREHEADER.findall(page(body, inline_images=images))[0] == words


def test_the_author_says_what_inboxes_show() -> None:
    """A preheader is shown as it is, and the rest of the room is empty."""
    html = page("# A\n\nText", preheader="SEV1, <declared>")
    shown = re.search(r'class="preheader"[^>]*>(.*?)</div>', html)
    assert shown
    assert unescape(shown[1]).rstrip("\u034f\u200c\u00a0") == "SEV1, <declared>"


@pytest.mark.parametrize(("width", "written"), [(1600, 'width="534"'), (40, 'width="40"')])
def test_an_inline_image_is_no_wider_than_the_card(width: int, written: str) -> None:
    """Its own width is kept where it fits."""
    png = PNG[:16] + width.to_bytes(4, "big") + PNG[20:]
    html = page("![graph](cid:a&b)", inline_images={"a&b": ("g.png", png)})
    assert re.search(rf'<img src="cid:a&amp;b" {written} alt="graph"', html)


def test_an_image_of_unknown_width_and_html_of_the_caller_stay_as_they_are() -> None:
    """Nothing is guessed, and what the caller rendered is used as it is."""
    assert (
        " width="
        not in page("![](cid:a)", inline_images={"a": ("a.svg", b"<svg/>")})
        .partition('class="card"')[2]
        .partition('class="footer"')[0]
    )
    own = '<img src="cid:a">'
    assert page("B", html=own, inline_images={"a": ("g.png", PNG)}) == own
