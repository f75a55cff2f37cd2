"""The gallery's mails in Chromium: on phones and screens, in the light, in the dark, without style.

One browser shows them all: a page for each width and colour scheme, and one mail after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from demo.gallery import gallery
from demo.own_mails import own_mails
from prefect_smtp_relay.rendering.theme import MAX_INLINED
from prefect_smtp_relay.transports.recording import Preview
from tests.chromium import find_chromium, running_chromium

_WIDE = """() => [...document.body.querySelectorAll("*")]
  .filter(e => e.getClientRects().length && getComputedStyle(e).display !== "inline")
  .filter(e => e.scrollWidth > Math.ceil(e.clientWidth) + 1 && e.clientWidth > 0
    || e.getBoundingClientRect().right > innerWidth + 0.5 || e.getBoundingClientRect().left < -0.5)
  .map(e => `${e.tagName}.${e.className}: ${e.scrollWidth} of ${e.clientWidth}`)"""
"""Blocks that are wider than their place, and what is outside of the window."""

_AXE = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}


@pytest.fixture(scope="module")
def mails() -> dict[str, Preview]:
    """Compose the gallery's mails."""
    return dict(gallery())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run Chromium for all of them."""
    with running_chromium(find_chromium()) as browser:
        yield browser


def open_page(browser: Browser, width: int, scheme: Literal["light", "dark"] = "light") -> Page:
    """Open an empty page that loads nothing from the network."""
    page = browser.new_page(viewport={"width": width, "height": 740}, color_scheme=scheme)
    page.route("**/*", lambda route: route.abort())
    return page


def without_style(html: str) -> str:
    """The same mail in a program that drops style sheets."""
    return re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)


def test_there_are_mails_of_all_kinds(mails: dict[str, Preview]) -> None:
    """The product's own mails, and what callers write; Gmail cuts none of them off."""
    assert len(mails) >= 25
    assert {"incident-declared", "incident-resolved", "failure", "flood", "digest"} <= {*mails}
    for name, mail in mails.items():
        assert len(mail.html.encode()) < MAX_INLINED, name


def test_every_own_mail_says_something_new_in_the_inbox(mails: dict[str, Preview]) -> None:
    """What is shown after the subject is neither the subject nor the sender's name again."""
    for name in own_mails():
        mail = mails[name]
        found = re.search(r'class="preheader"[^>]*>([^<\u034f]*)', mail.html)
        assert found, name
        assert found[1].strip(), name
        assert found[1] not in {mail.message.subject, mail.message.from_.display_name}, name


@pytest.mark.parametrize("keeps_style", [True, False], ids=["styled", "without style"])
@pytest.mark.parametrize("width", [320, 360, 640, 1024])
def test_nothing_scrolls_sideways(
    browser: Browser, mails: dict[str, Preview], width: int, keeps_style: bool
) -> None:
    """Neither the page nor a block of it is wider than its place."""
    page = open_page(browser, width)
    for name, mail in mails.items():
        page.set_content(mail.html if keeps_style else without_style(mail.html))
        assert page.evaluate("document.documentElement.scrollWidth") == width, name
        assert page.evaluate(_WIDE) == [], name
    page.close()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (640, "dark")])
def test_the_mails_are_accessible(
    browser: Browser, mails: dict[str, Preview], width: int, scheme: Literal["light", "dark"]
) -> None:
    """axe-core has no serious or critical finding, contrasts of colours among them."""
    page, axe = open_page(browser, width, scheme), Axe()
    for name, mail in mails.items():
        page.set_content(mail.html)
        found: list[dict[str, Any]] = axe.run(page, options=_AXE).response["violations"]
        serious = [each["id"] for each in found if each["impact"] in {"serious", "critical"}]
        assert serious == [], (name, [node["html"] for each in found for node in each["nodes"]])
    page.close()
