"""The plain text of HTML that the caller wrote."""

from __future__ import annotations

import re

from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml.etree import ParserError
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from prefect_smtp_relay.exceptions import MessageTooLarge
from prefect_smtp_relay.rendering.markdown import CONTROL_CHARACTERS
from prefect_smtp_relay.rendering.values import size_of

_MAX_TABLES = 1_000_000
"""Cells times the characters of the longest: as large a text a table with columns can become."""
_MAX_CELLS = 2_000

_NOT_SEEN = re.compile(r"[\u00ad\u034f\u200b-\u200f\u2060\ufeff]")
_EMPTY_LINES = re.compile(r"\n{3,}")


def html_to_text(html: str, max_bytes: int) -> str:
    """Write HTML as people would type it: lists, tables with columns, links with their targets.

    Args:
        html: a document or a part of one; what it hides is left out.
        max_bytes: of the HTML.

    Raises:
        MessageTooLarge: it has more.
    """
    if size_of(html) > max_bytes:
        problem = f"has {size_of(html):,} bytes, and a text is derived from up to {max_bytes:,}"
        raise MessageTooLarge(problem, "Give `text` beside it.", field="html")
    try:
        tree = document_fromstring(html.encode(errors="replace"), HTMLParser(encoding="utf-8"))
    except ParserError:  # there is nothing in it
        return ""
    _name_targets(tree)
    _flatten_large_tables(tree)
    text = Inscriptis(tree, ParserConfig(css=STRICT_CSS_PROFILE)).get_text()
    lines = (
        CONTROL_CHARACTERS.sub("", line).rstrip() for line in _NOT_SEEN.sub("", text).split("\n")
    )
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def _name_targets(tree: HtmlElement) -> None:
    """Put a link's target after its text, unless that says it, and an image's alt text in it."""
    for image in tree.iter("img"):
        alt = image.get("alt", "").strip()
        image.tail = (f"[{alt}]" if alt else "") + (image.tail or "")
    for link in tree.iter("a"):
        target = link.get("href", "").strip().removeprefix("mailto:")
        if target and not target.startswith("#") and link.text_content().strip() != target:
            link.tail = f" ({target}){link.tail or ''}"


def _flatten_large_tables(tree: HtmlElement) -> None:
    """Give up columns where one long cell would make all others as wide."""
    cells = list(tree.iter("td", "th"))
    longest = max((len(cell.text_content()) for cell in cells), default=0)
    if len(cells) > _MAX_CELLS or len(cells) * longest > _MAX_TABLES:
        for part in tree.iter("table", "tr", "td", "th"):
            part.tag = "div"
