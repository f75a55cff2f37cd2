"""The pages use the words of the package's own texts, and no others."""

from __future__ import annotations

import re

import pytest

from tests.pages import Page, pages
from tests.words import WRONG

_CODE = re.compile(r"(`+).+?\1(?!`)")
_HISTORY = "docs/changelog.md"


@pytest.mark.parametrize(
    "source",
    [each for each in pages() if each.name != _HISTORY],
    ids=lambda source: source.name,
)
def test_no_page_has_a_word_that_is_not_ours(source: Page) -> None:
    """Standard terms and plain English, as in errors, log lines, help and forms."""
    lines = _CODE.sub("", source.prose).splitlines()
    found = [f"{word!r} in {line!r}" for line in lines for word in WRONG.findall(line)]
    assert not found
