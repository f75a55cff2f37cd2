"""The page around the body: one centred column, readable on a phone and in the dark."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template


def wrap_in_page(fragment: str) -> str:
    """Put an HTML fragment into ``layout.html``.

    Args:
        fragment: the body's HTML.

    Returns:
        A whole HTML document.
    """
    return _layout().substitute(content=fragment)


@cache
def _layout() -> Template:
    return Template(files(__package__).joinpath("layout.html").read_text(encoding="utf-8"))
