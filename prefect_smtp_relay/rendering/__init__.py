"""Turn the body of a mail, written in Markdown, into its HTML and its plain text."""

from __future__ import annotations

from dataclasses import dataclass

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.rendering.markdown import parse, to_html
from prefect_smtp_relay.rendering.page import wrap_in_page
from prefect_smtp_relay.rendering.plain_text import to_plain_text

__all__ = ["Rendered", "render"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """The two renderings of one body.

    Args:
        html: a whole HTML document.
        text: the same for readers and programs that show no HTML.
    """

    html: str
    text: str


def render(body: str, *, html: str | None = None, text: str | None = None) -> Rendered:
    """Render a Markdown body, or take over what the caller has rendered.

    Args:
        body: CommonMark with tables and strikethrough; raw HTML in it is shown, not interpreted.
        html: stands as it is in place of the rendered HTML; it is not wrapped in the page.
        text: stands as it is in place of the rendered plain text.

    Returns:
        Both renderings. Where both are given, the body is not read.

    Raises:
        MessageError: the body is no text.
    """
    if not isinstance(body, str):
        raise MessageError(f"body: expected text, got {type(body).__name__}.")
    if html is not None and text is not None:
        return Rendered(html, text)
    tokens = parse(body)
    return Rendered(
        html=wrap_in_page(to_html(tokens)) if html is None else html,
        text=to_plain_text(tokens) if text is None else text,
    )
