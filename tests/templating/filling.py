"""Fills a body and renders it, as a mail would."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from prefect_smtp_relay.rendering import Rendered, render
from prefect_smtp_relay.templating import Texts, read_context


def fill(context: Any = None, **texts: Any) -> Texts:
    """Fill the texts of a mail: the arguments are those of `Texts`."""
    written = Texts(texts.pop("subject", "s"), texts.pop("body", "b"), **texts)
    return written.filled(read_context({} if context is None else context))


def render_body(body: str, **context: Any) -> Rendered:
    """Render a body with its values."""
    filled = Texts("s", body).filled(read_context(context))
    return render(filled.body, values=filled.values)


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
