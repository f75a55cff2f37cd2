"""Mails as Chromium shows them, pictures blocked: on a phone, in the dark, without <style>."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page

from prefect_smtp_relay.rendering.render import render

Scheme = Literal["light", "dark"]
Show = Callable[..., Page]

_READABLE, _READABLE_IF_LARGE = 4.5, 3.0
"""Contrast of WCAG 2.2, level AA, success criterion 1.4.3."""

_TEXTS = """() => {
  const rgba = color => color.match(/[\\d.]+/g).map(Number);
  const luminance = color => {
    const [r, g, b] = rgba(color).slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if (rgba(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const has_text = element => element.alt || [...element.childNodes]
    .some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
  return [...document.body.querySelectorAll("*")]
    .filter(element => has_text(element) && element.getClientRects().length)
    .map(element => {
      const style = getComputedStyle(element);
      const [a, b] = [luminance(style.color), luminance(behind(element))];
      const size = parseFloat(style.fontSize);
      return {
        text: element.tagName + ": " + (element.alt || element.textContent).slice(0, 40),
        ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
        large: size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700),
      };
    });
}"""

_LINES = """element => {
  const range = document.createRange();
  range.selectNodeContents(element);
  return range.getClientRects().length;
}"""


def without_style(html: str) -> str:
    """The same mail in a program that drops style sheets."""
    stripped = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    assert stripped != html
    return stripped


def scroll_width(page: Page) -> int:
    """How wide the page is, in pixels."""
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize("width", [320, 640, 1024])
def test_nothing_widens_the_page(show: Show, everything: str, width: int) -> None:
    """However wide a URL, a table or a line of code is, the page itself never scrolls sideways."""
    assert scroll_width(show(everything, width)) == width
    assert scroll_width(show(without_style(everything), width)) == width


def test_rows_of_wide_tables_are_records_on_a_phone(show: Show, everything: str) -> None:
    """Each cell is a line of its own with the name of its column; on a screen it is a table."""
    for width, is_record in ((320, True), (640, False)):
        page = show(everything, width)
        label = page.locator(".records .label", has_text="Errors")
        assert label.is_visible() == is_record
        assert page.locator(".records thead").is_visible() != is_record
        boxes = [cell.bounding_box() for cell in page.locator(".records td").all()]
        assert len({box["y"] for box in boxes if box}) == (7 if is_record else 1)


def test_short_words_of_a_table_are_not_broken(show: Show) -> None:
    """A long text leaves room for its neighbours, with and without style sheets."""
    body = f"| Host | Errors | Message |\n|-|-|-|\n| db-1 | 12000 | {'words ' * 40} |"
    html = render(body).html
    for page in (show(html, 320), show(html, 640), show(without_style(html), 320)):
        for text in ("db-1", "12000"):
            assert page.get_by_text(text, exact=True).evaluate(_LINES) == 1


def test_code_wraps(show: Show, everything: str) -> None:
    """No end of a line is out of sight: phones' mail programs do not scroll sideways."""
    for width in (320, 640):
        code = show(everything, width).locator("pre").first
        assert code.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_a_long_label_leaves_room_for_its_value(show: Show) -> None:
    """On a phone the label wraps, so that the value is in sight."""
    body = "| | |\n|-|-|\n| Time until the first payment failed | 12 minutes |"
    value = show(render(body).html, 320).get_by_text("12 minutes").bounding_box()
    assert value is not None
    assert value["x"] + value["width"] < 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("keeps_style", [True, False])
def test_every_text_can_be_read(
    show: Show, everything: str, scheme: Scheme, keeps_style: bool
) -> None:
    """The contrast of every text, alt texts included, is that of WCAG AA in both schemes."""
    html = everything if keeps_style else without_style(everything)
    texts = show(html, scheme=scheme).evaluate(_TEXTS)
    assert {text["text"].partition(":")[0] for text in texts} >= {
        *("H1", "H2", "H3", "P", "A", "CODE", "TH", "TD", "LI", "IMG", "STRONG", "S"),
    }
    for text in texts:
        assert text["ratio"] >= (_READABLE_IF_LARGE if text["large"] else _READABLE), text


def test_the_page_is_dark_in_the_dark(show: Show, everything: str) -> None:
    """The card's colours change with the reader's colour scheme."""
    colours = {
        scheme: show(everything, scheme=scheme)
        .locator(".card")
        .evaluate("e => getComputedStyle(e).backgroundColor")
        for scheme in ("light", "dark")
    }
    assert colours == {"light": "rgb(255, 255, 255)", "dark": "rgb(26, 29, 33)"}


def test_the_card_is_a_column_of_600_pixels(show: Show, everything: str) -> None:
    """On a wide screen the column stands in the middle; on a phone it fills the screen."""
    box = show(everything, 1024).locator(".column").bounding_box()
    assert box is not None
    assert (box["width"], box["x"]) == (600, 212)
    phone = show(everything, 320).locator(".column").bounding_box()
    assert phone is not None
    assert phone["width"] > 300


@pytest.mark.parametrize("width", [320, 640])
def test_buttons_can_be_pressed(show: Show, everything: str, width: int) -> None:
    """Each leads to its address wherever it is touched, and is large enough for a thumb."""
    page = show(everything, width)
    page.evaluate(
        "() => document.addEventListener('click', event => {"
        " event.preventDefault(); window.at = event.target.closest('a').href })"
    )
    button = page.locator(".button td", has_text="Acknowledge")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    button.click(position={"x": 4, "y": 4})
    assert page.evaluate("window.at") == "https://example.org/ack"


def test_buttons_stand_side_by_side_or_below_one_another(show: Show, everything: str) -> None:
    """There is room for two in a column; on a phone each is as wide as the text."""
    for width, side_by_side in ((640, True), (320, False)):
        boxes = [b.bounding_box() for b in show(everything, width).locator(".button").all()]
        tops = {box["y"] for box in boxes if box}
        assert len(boxes) == 2
        assert (len(tops) == 1) == side_by_side


def test_the_preheader_is_hidden(show: Show, everything: str) -> None:
    """It takes no room in the mail itself, with and without style sheets."""
    for html in (everything, without_style(everything)):
        assert not show(html).locator(".preheader").is_visible()


def test_alt_texts_stand_where_pictures_are_missing(show: Show, everything: str) -> None:
    """Logo and picture are blocked, and read as their alternative texts."""
    page = show(everything)
    assert page.get_by_role("img", name="Acme").is_visible()
    assert page.get_by_role("img", name="The latency of the night").is_visible()


def test_screen_readers_meet_the_tables_of_data(show: Show, everything: str) -> None:
    """Layout and buttons are none to them; those of data have headings of columns or rows."""
    page = show(everything)
    assert page.get_by_role("table").count() == 2
    assert page.get_by_role("columnheader").count() == 7
    assert page.get_by_role("rowheader").count() == 1
