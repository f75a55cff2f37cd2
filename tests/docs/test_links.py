"""Every page leads somewhere, is reached from somewhere, and shows what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from prefect_smtp_relay import SMTP, SendAnEmail, SendGrid
from tests.pages import DOCS, README, Page, page, pages
from tests.rooms import ROOT

_LINK = re.compile(r"\]\((?!\w+:)([^)\s]+)\)")
_CONFIGURATION = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
SITE = str(yaml.safe_load(_CONFIGURATION.partition("\nnav:")[0].split("\ntheme:")[0])["site_url"])
MENU = [
    DOCS / name
    for name in re.findall(r": ([\w/-]+\.md)$", _CONFIGURATION.partition("\nnav:")[2], re.MULTILINE)
]
LANGUAGES = {"python", "bash"}
"""What a test runs, in order and page by page."""

NOT_RUN = {
    "console": "usage, and what needs Docker",
    "dockerfile": "read by tests/containers",
    "markdown": "the body of a mail",
    "powershell": "Microsoft's console",
    "text": "output",
    "toml": "settings, which tests/docs reads",
    "yaml": "read by the tests of their pages",
}

LARGEST_PICTURE = 160_000
LONGEST_README = 200


def _of_site(url: str) -> tuple[Page, str]:
    """The page that an address of the site shows, and the anchor in it."""
    path, _, anchor = url.removeprefix(SITE).partition("#")
    name = path.strip("/") or "index"
    return page(name), anchor


@pytest.mark.parametrize("source", pages(), ids=lambda source: source.name)
def test_every_link_between_files_leads_somewhere(source: Page) -> None:
    """Files exist, and anchors are headings of the file that is linked."""
    for link in _LINK.findall(source.prose):
        path, _, anchor = link.partition("#")
        target = (source.path.parent / path if path else source.path).resolve()
        assert target.exists(), link
        if anchor:
            assert anchor in Page(target.relative_to(ROOT).as_posix()).anchors, link


@pytest.mark.parametrize("source", pages(), ids=lambda source: source.name)
def test_every_link_to_the_site_leads_to_a_page(source: Page) -> None:
    """An address of the site is that of a page, and an anchor that of a heading."""
    for url in re.findall(rf"{re.escape(SITE)}[^)\s\"]*", source.prose):
        target, anchor = _of_site(url)
        assert target.path.exists(), url
        assert not anchor or anchor in target.anchors, url


@pytest.mark.parametrize("block", [SMTP, SendGrid, SendAnEmail])
def test_the_form_of_a_block_links_to_its_page(block: type[SMTP]) -> None:
    """Prefect's UI shows the link beside the form."""
    target, anchor = _of_site(str(block._documentation_url))
    assert target.path.exists()
    assert not anchor or anchor in target.anchors


@pytest.mark.parametrize("source", pages(), ids=lambda source: source.name)
def test_what_a_page_tells_to_run_is_run(source: Page) -> None:
    """No command or code is in a block of a language that no test runs."""
    for block in source.blocks():
        where = f"line {block.line}: write it as bash or python, which a test runs"
        assert block.language in LANGUAGES | NOT_RUN.keys(), where
        if block.language == "console" and "[OPTIONS]" not in block.code:
            assert "docker " in block.code, where


def test_every_page_is_in_the_menu_once() -> None:
    """The menu has the pages that there are, and no others."""
    assert len(MENU) == len(set(MENU))
    assert set(DOCS.rglob("*.md")) == set(MENU)


def test_the_readme_is_read_in_two_minutes() -> None:
    """All else is on the pages."""
    assert README.text.count("\n") <= LONGEST_README


def test_the_readme_shows_itself_elsewhere_too() -> None:
    """It has no relative link or picture: they lead nowhere on PyPI."""
    assert not _LINK.findall(README.prose)


@pytest.mark.parametrize(
    "picture", sorted((DOCS / "images").iterdir()), ids=lambda picture: picture.name
)
def test_every_picture_is_shown_and_small(picture: Path) -> None:
    """Nobody waits for a picture, and none is left over."""
    assert picture.stat().st_size < LARGEST_PICTURE
    assert any(f"images/{picture.name}" in source.prose for source in pages())
