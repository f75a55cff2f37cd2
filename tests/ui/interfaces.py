"""Prefect's two interfaces, as a person uses their pages about blocks."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar

from playwright.sync_api import Locator, Page, expect

FieldInput = str | bool

_BUSY = HTTPStatus.SERVICE_UNAVAILABLE
_MOST_TRIES = 5

_DOCUMENT_PAGE = re.compile(r"/blocks/block/[0-9a-f-]{36}$")
_DOCUMENT_REQUEST = re.compile(r"/api/block_documents/([0-9a-f-]{36})?$")
_RUN_REQUEST = re.compile(r"/create_flow_run$")


class Interface(ABC):
    """One of the interfaces, open in a page of a browser.

    Args:
        page: where it is shown.
        server_url: where the server listens.
    """

    path: ClassVar[str]
    """Where the server serves it."""
    title_of_name: ClassVar[str]
    """What stands above the field for the document's name."""
    create_button: ClassVar[str]
    """What saves a new document."""
    no_choice: ClassVar[str]
    """What a list of choices shows where none is made."""
    control: ClassVar[str]
    """The selector of what a field is filled in with."""
    menu_button: ClassVar[str]
    """The selector of what opens a document's menu."""
    menu_item: ClassVar[str]
    """The selector of the menu's entries."""

    def __init__(self, page: Page, server_url: str) -> None:
        self.page = page
        self._base_url = server_url + self.path

    @abstractmethod
    def field(self, title: str) -> Locator:
        """Find a field: title, help text and control."""

    def open_catalogue(self) -> None:
        """Show every block type."""
        self.page.goto(f"{self._base_url}/blocks/catalog")

    def search_catalogue(self, text: str) -> None:
        """Type into the catalogue's search."""
        self.page.get_by_placeholder("Search blocks").fill(text)

    def open_automation(self, automation_id: str) -> None:
        """Show the page of an automation."""
        self.page.goto(f"{self._base_url}/automations/automation/{automation_id}")

    def open_run_form(self, deployment_id: str) -> None:
        """Show the form of a deployment's parameters."""
        self.page.goto(f"{self._base_url}/deployments/deployment/{deployment_id}/run")

    def open_runs(self, query: str) -> None:
        """Show the runs that a query asks for."""
        self.page.goto(f"{self._base_url}/runs{query}")

    @abstractmethod
    def card(self, block_type: str) -> Locator:
        """Find a block type in the catalogue."""

    def open_block_type(self, slug: str) -> None:
        """Show the page of a block type."""
        self.page.goto(f"{self._base_url}/blocks/catalog/{slug}")

    def go_on_to_form(self) -> None:
        """Go from the page of a block type to its empty form."""
        self.page.get_by_text("Create", exact=True).click()
        expect(self.control_of(self.title_of_name)).to_be_visible()

    def open_form(self, slug: str) -> None:
        """Show the empty form of a block type."""
        self.page.goto(f"{self._base_url}/blocks/catalog/{slug}/create")
        expect(self.control_of(self.title_of_name)).to_be_visible()

    def control_of(self, title: str) -> Locator:
        """Find what a field is filled in with."""
        return self.field(title).locator(self.control).first

    def shown_in(self, title: str) -> FieldInput:
        """Read what a field holds: a text, a choice, or whether a switch is on."""
        control = self.control_of(title)
        if control.get_attribute("role") == "switch":
            return control.get_attribute("aria-checked") == "true"
        if _is_list_of_choices(control):
            return control.inner_text()
        return control.input_value()

    def name_document(self, name: str) -> None:
        """Fill in the name of a new document."""
        self.control_of(self.title_of_name).fill(name)

    def choices_of(self, title: str) -> list[str]:
        """Open a field's list of choices, and read and close it."""
        self.control_of(title).press("Space")
        options = self.page.get_by_role("option")
        options.first.wait_for()
        choices = options.all_inner_texts()
        self.page.keyboard.press("Escape")
        options.first.wait_for(state="detached")
        return choices

    def fill_in(self, values: Mapping[str, FieldInput]) -> None:
        """Fill fields, by their titles: type a text, choose from a list, turn a switch."""
        for title, value in values.items():
            control = self.control_of(title)
            if isinstance(value, bool):
                if self.shown_in(title) != value:
                    control.click()
            elif _is_list_of_choices(control):
                control.press("Space")
                options = self.page.get_by_role("option")
                self.page.get_by_role("option", name=value, exact=True).click()
                options.first.wait_for(state="detached")
            else:
                control.fill(value)

    def create(self, slug: str, name: str, values: Mapping[str, FieldInput]) -> None:
        """Fill the form of a block type, and save a document."""
        self.open_form(slug)
        self.name_document(name)
        self.fill_in(values)
        self.save_new()

    def save_new(self) -> None:
        """Save the document whose form is filled in."""
        self._submit("POST", self.button(self.create_button))
        self._wait_for_document()

    def open_document(self, name: str) -> None:
        """Go to a document's page from the list of all, without loading the interface anew."""
        self.page.get_by_role("link", name="Blocks", exact=True).first.click()
        self.page.get_by_role("link", name=name, exact=True).first.click()
        self._wait_for_document()

    def open_editor(self) -> None:
        """Go from a document's page to its form."""
        self._choose_from_menu("Edit")
        expect(self.control_of("Block Name")).to_be_disabled()

    def save_edits(self) -> None:
        """Save what was changed, from the form of a document."""
        self._submit("PATCH", self.button("Save"))
        self._wait_for_document()

    def delete(self) -> None:
        """Delete the document whose page is shown, and confirm it."""
        self._choose_from_menu("Delete")
        expect(self.page.get_by_text("Are you sure you want to delete")).to_be_visible()
        self._submit("DELETE", self.button("Delete"))

    def button(self, name: str) -> Locator:
        """Find a button by its text."""
        return self.page.get_by_role("button", name=name, exact=True)

    def take_picture(self, last_title: str, path: Path) -> None:
        """Write a PNG of a form down to a field, with the navigation beside it."""
        self.page.set_viewport_size({"width": 1200, "height": 1900})
        self.page.mouse.move(0, 0)
        self.page.evaluate("document.activeElement.blur()")
        form = self.page.locator("form")
        form.evaluate("part => { for (; part; part = part.parentElement) part.scrollTop = 0 }")
        box = self.field(last_title).bounding_box()
        assert box is not None
        margin = 16
        self.page.screenshot(
            path=path,
            clip={
                "x": 0,
                "y": 0,
                "width": box["x"] + box["width"] + margin,
                "height": box["y"] + box["height"] + margin,
            },
        )

    def _wait_for_document(self) -> None:
        self.page.wait_for_url(_DOCUMENT_PAGE)
        expect(self.page.get_by_text("Paste this snippet")).to_be_visible()

    def _choose_from_menu(self, entry: str) -> None:
        self.page.locator(self.menu_button).last.click()
        self.page.locator(self.menu_item).filter(has_text=entry).click()

    def start_run(self) -> None:
        """Submit the form of a deployment's parameters."""
        self._submit("POST", self.button("Submit"), _RUN_REQUEST)

    def _submit(
        self, method: str, button: Locator, request: re.Pattern[str] = _DOCUMENT_REQUEST
    ) -> None:
        """Press the button, and again where the server is too busy, as SQLite makes it at times."""
        for _ in range(_MOST_TRIES):
            with self.page.expect_response(
                lambda answer: (
                    (answer.request.method == method and bool(request.search(answer.url)))
                    or (answer.status == _BUSY and answer.url.endswith("/ui/schemas/validate"))
                )
            ) as answer:
                button.click()
            if answer.value.status != _BUSY:
                break
        assert answer.value.ok, answer.value.status_text


class V2(Interface):
    """The interface that a server shows by default."""

    path = "/v2"
    title_of_name = "Name"
    create_button = "Save"
    no_choice = "Select"
    control = "textarea, input, [role=switch], fieldset button"
    menu_button = "button[aria-haspopup=menu]"
    menu_item = "[role=menuitem]"

    def field(self, title: str) -> Locator:
        """Find the innermost part of the form around a title."""
        label = self.page.locator("form label").get_by_text(_with_or_without_optional(title))
        return label.locator("xpath=ancestor::div[.//input or .//textarea or .//fieldset][1]")

    def card(self, block_type: str) -> Locator:
        """Find the card around a heading."""
        return _around_heading(self.page, block_type, "[data-slot=card]")

    def name_document(self, name: str) -> None:
        """Fill in the name, and wait while its being free is checked: no press counts till then."""
        with self.page.expect_response(lambda answer: answer.url.endswith(f"/name/{name}")):
            super().name_document(name)


class V1(Interface):
    """The old interface, a click away from the other."""

    path = ""
    title_of_name = "Block Name"
    create_button = "Create"
    no_choice = ""
    control = ".p-label__body :is(textarea, input:not([type=checkbox]), [role=switch], button)"
    menu_button = ".page-heading button"
    menu_item = ".p-overflow-menu-item"

    def field(self, title: str) -> Locator:
        """Find the part of the form with a title: its labels are tied to no control."""
        label = self.page.locator(".p-label__label").get_by_text(_with_or_without_optional(title))
        return self.page.locator(".p-label").filter(has=label)

    def card(self, block_type: str) -> Locator:
        """Find the card around a heading."""
        return _around_heading(self.page, block_type, ".p-card")


INTERFACES: tuple[type[Interface], ...] = (V2, V1)


def _with_or_without_optional(title: str) -> re.Pattern[str]:
    """Both interfaces say so behind the title of a field with a default."""
    return re.compile(rf"^{re.escape(title)}( \(Optional\))?$")


def _around_heading(page: Page, text: str, card: str) -> Locator:
    heading = page.get_by_role("heading", name=text, exact=True)
    return page.locator(card).filter(has=heading)


def _is_list_of_choices(control: Locator) -> bool:
    return bool(control.evaluate("element => element.tagName === 'BUTTON'"))
