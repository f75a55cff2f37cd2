"""The page "Start", as the person in the test follows it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from prefect_smtp_relay.testing.mail_server import ReceivedMail
from tests.mails import html_of
from tests.pages import page
from tests.ui.interfaces import V2

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "images"
_PAGE = DOCS / "start.md"

_MARGIN = 16
_LEFT_OF_A_FORM = 40

_STEP = re.compile(r"^(?:\d+\. |    \||   )")
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def commands() -> list[str]:
    """What the page says to type in a terminal."""
    [block] = page("start").blocks("bash")
    return block.code.splitlines()


def labels() -> list[str]:
    """The labels in the steps of the page, in their order."""
    steps = [line for line in _PAGE.read_text("utf-8").splitlines() if _STEP.match(line)]
    return [label for line in steps for label in _BOLD.findall(line)]


def example_values() -> dict[str, str]:
    """What the page fills in, by field."""
    rows = re.findall(r"^    \| \*\*(.+?)\*\* \| (.+?) \|$", _PAGE.read_text("utf-8"), re.MULTILINE)
    return {field: value.strip("`") for field, value in rows}


def pictures() -> set[str]:
    """The pictures that the page shows."""
    return set(re.findall(r"\(images/(start-[\w-]+\.png)\)", _PAGE.read_text("utf-8")))


class Person(V2):
    """Somebody who knows the labels on the screen, and nothing else; `seen` has them in order.

    Args:
        page: of the browser.
        server_url: where the server listens.
        folder: where pictures go.
    """

    def __init__(self, page: Page, server_url: str, folder: Path) -> None:
        super().__init__(page, server_url)
        self.folder = folder
        self.seen: list[str] = []

    def go_to(self, name: str) -> None:
        """Click an entry of the navigation on the left."""
        self.seen.append(name)
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def click(self, name: str, role: str = "link") -> None:
        """Click what has a name: a link, a button, a tab, an entry of a menu."""
        self.seen.append(name)
        self._with_role(role, name).first.click()

    def click_text(self, text: str) -> None:
        """Click what shows a text."""
        self.seen.append(text)
        self.page.get_by_text(text, exact=True).first.click()

    def click_plus(self) -> None:
        """Click the button beside the heading of the blocks."""
        self.seen.append("+")
        self.page.locator("a[href$='/blocks/catalog']").first.click()

    def read(self, text: str) -> Locator:
        """Wait until a text is shown."""
        self.seen.append(text)
        found = self.page.get_by_text(text, exact=True).first
        expect(found).to_be_visible()
        return found

    def type_into(self, title: str, value: str) -> None:
        """Fill in a field of a form."""
        self.seen.append(title)
        if title == self.title_of_name:
            self.name_document(value)
        else:
            self.fill_in({title: value})

    def click_run(self, *texts: str) -> None:
        """Click a run in the list of runs: the newest that shows each of these texts."""
        self.seen.extend(texts)
        link = "a[contains(@href, '/runs/flow-run/')]"
        *others, last = texts
        card = self.page.get_by_text(last, exact=True).locator(f"xpath=ancestor::*[.//{link}][1]")
        for text in others:
            card = card.filter(has=self.page.get_by_text(text, exact=True))
        card.first.locator(f"xpath=.//{link}").first.click()

    def picture_of_form(self, name: str, last_title: str) -> None:
        """Take a picture of a form from its top down to a field, as if the window were high."""
        window = self.page.viewport_size
        assert window is not None
        self.page.set_viewport_size({**window, "height": 2 * window["height"]})
        form = self.page.locator("form")
        form.evaluate("part => { for (; part; part = part.parentElement) part.scrollTop = 0 }")
        field = self.field(last_title)
        self.picture(name, column=field, until=field, margin=_LEFT_OF_A_FORM)
        self.page.set_viewport_size(window)

    def picture(
        self,
        name: str,
        column: Locator | None = None,
        until: Locator | None = None,
        margin: int = _MARGIN,
    ) -> None:
        """Take a picture of the window.

        Args:
            name: of the file.
            column: what is as wide as the picture; by default, the window.
            until: the last part to be seen; by default, all that the window shows.
            margin: how many pixels are shown to the left of the column.
        """
        self.page.mouse.move(0, 0)
        self.page.evaluate("document.activeElement.blur()")
        window = self.page.viewport_size
        assert window is not None
        left, right, bottom = 0.0, float(window["width"]), float(window["height"])
        if column and (box := column.bounding_box()):
            left, right = box["x"] - margin, box["x"] + box["width"] + _MARGIN
        if until and (box := until.bounding_box()):
            bottom = min(bottom, box["y"] + box["height"] + _MARGIN)
        self.page.screenshot(
            path=self.folder / name,
            clip={"x": left, "y": 0, "width": right - left, "height": bottom},
        )

    def show_mail(self, mail: ReceivedMail, name: str) -> None:
        """Take a picture of a mail, as a mail program shows it."""
        page = self.page.context.new_page()
        page.set_viewport_size({"width": 700, "height": 320})
        page.set_content(html_of(mail))
        page.screenshot(path=self.folder / name)
        page.close()

    def _with_role(self, role: str, name: str) -> Locator:
        return self.page.locator(f"role={role}[name='{name}']")
