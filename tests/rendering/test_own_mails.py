"""The package's own mails on a phone of 360 by 740 pixels, as Chromium shows them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from demo.own_mails import own_mails
from prefect_smtp_relay import render

Show = Callable[..., Page]

_WIDTH, _HEIGHT = 360, 740
_MAILS = own_mails()


@pytest.fixture
def on_phone(show: Show) -> Callable[[str], Page]:
    """Open one of the mails."""
    return lambda name: show(render("ann@example.org", **_MAILS[name]).html, _WIDTH)


def _height(page: Page) -> int:
    """Of a picture of the whole page: a PNG says it in its bytes 20 to 23 (RFC 2083, 4.1.1)."""
    return int.from_bytes(page.screenshot(full_page=True)[20:24], "big")


def _bottom(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["y"] + box["height"]


@pytest.mark.parametrize("name", [name for name in _MAILS if name != "reminder"])
def test_the_first_button_can_be_pressed_without_scrolling(
    on_phone: Callable[[str], Page], name: str
) -> None:
    """It ends above 500 pixels, whatever the mail is about."""
    assert _bottom(on_phone(name), ".button") < 500


def test_the_whole_error_is_in_sight(on_phone: Callable[[str], Page]) -> None:
    """The exception is the first thing below the heading, and no end of it is cut off."""
    page = on_phone("failure")
    assert _bottom(page, ".error") < _HEIGHT / 2
    assert page.locator(".error").evaluate("e => e.scrollWidth <= e.clientWidth")
    assert page.locator("h1 + .error").inner_text().strip().endswith("sslmode=require")


@pytest.mark.parametrize(("name", "screens"), [("failure", 2.5), ("digest", 2), ("recovery", 1.5)])
def test_no_mail_is_endless(on_phone: Callable[[str], Page], name: str, screens: float) -> None:
    """A failure below sixty lines of traceback, and 44 runs of 8 causes, are few screens."""
    assert _height(on_phone(name)) <= screens * _HEIGHT


def test_the_samples_are_what_they_say() -> None:
    """The digest tells of 44 runs of 8 causes, the failure of a long traceback."""
    context = _MAILS["digest"]["context"]
    causes = [cause for flow in context["flows"] for cause in flow["causes"]]
    assert (len(causes), sum(int(cause["times"].split()[0]) for cause in causes)) == (8, 44)
    assert "16 more times" in _MAILS["failure"]["body"]
