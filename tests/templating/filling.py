"""Fills a body and renders it, as a mail would."""

from __future__ import annotations

from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

from prefect_smtp_relay.rendering.render import Rendered, render
from prefect_smtp_relay.rendering.values import MAX_TEXT_BYTES
from prefect_smtp_relay.templating.arguments import fill_arguments


def fill(context: Any = None, max_bytes: Any = MAX_TEXT_BYTES, **arguments: Any) -> Any:
    """Fill arguments of a mail."""
    filled, _ = fill_arguments(arguments, {} if context is None else context, max_bytes)
    return SimpleNamespace(**filled)


def render_body(body: str, **context: Any) -> Rendered:
    """Render a body with its values."""
    filled, values = fill_arguments({"body": body}, context)
    return render(filled["body"], values=values)


class Reader(HTMLParser):
    """Reads HTML as a browser does: its tags, its links, and the text between."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self._is_hidden = False
        self.feed(page[page.index("<body") :])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag, and where it leads."""
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        self.text += "\n" * (tag == "br")

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text += data
