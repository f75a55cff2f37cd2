"""The site: built without a warning, whole in itself, and readable on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from lxml import html
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.chromium import find_chromium, running_chromium
from tests.docs_run.site import build, serving
from tests.pages import DOCS

_PHONE = 390
NAMES = sorted(path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md"))


@pytest.fixture(autouse=True)
def nothing_connected() -> None:
    """Nothing here asks Prefect."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site once."""
    folder = tmp_path_factory.mktemp("site")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Serve it."""
    with serving(site) as address:
        yield address


@pytest.fixture(scope="module")
def phone(address: str) -> Iterator[Tab]:
    """Open a browser as wide as a phone."""
    del address
    with running_chromium(find_chromium()) as browser:
        yield browser.new_page(viewport={"width": _PHONE, "height": 800})


def _path(name: str) -> str:
    return "" if name == "index" else f"{name}/"


def test_every_link_of_the_built_site_leads_to_a_file_and_an_anchor(site: Path) -> None:
    """Also those that the theme and the page of the API make."""
    trees = {file: html.parse(file).getroot() for file in site.rglob("*.html")}
    anchors = {
        file: {*tree.xpath("//@id"), *tree.xpath("//a/@name")} for file, tree in trees.items()
    }
    for file, tree in trees.items():
        if file.name == "404.html":
            continue  # its links begin with the path at which the site is served
        for link in tree.xpath("//a/@href | //img/@src | //link/@href | //script/@src"):
            parts = urlsplit(urljoin(file.as_uri(), link))
            if parts.scheme != "file":
                continue
            target = Path(unquote(parts.path))
            target = target / "index.html" if target.is_dir() else target
            assert target.exists(), (file, link)
            if parts.fragment and target in anchors:
                assert unquote(parts.fragment) in anchors[target] | {"__toc"}, (file, link)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_read_on_a_phone_without_moving_it_sideways(
    name: str, phone: Tab, address: str
) -> None:
    """It is as wide as the phone, its scripts have no error, and it asks no other host."""
    errors: list[str] = []
    elsewhere: list[str] = []
    phone.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    phone.on("pageerror", lambda error: errors.append(str(error)))
    phone.on("request", lambda asked: elsewhere.append(asked.url))
    phone.goto(address + _path(name))
    assert phone.evaluate("document.documentElement.scrollWidth") == _PHONE
    assert not errors
    assert [url for url in elsewhere if not url.startswith((address, "data:"))] == []


def test_a_setting_is_found_by_its_variable(phone: Tab, address: str) -> None:
    """Who has seen the variable somewhere finds the page on what it does."""
    phone.goto(address)
    phone.locator(".md-header__button[for=__search]").click()
    phone.locator(".md-search__input").press_sequentially(
        "PREFECT_INTEGRATIONS_SMTP_RELAY_FAILOVER"
    )
    expect(phone.locator(".md-search-result a[href*='how-to/failover/']").first).to_be_attached()
