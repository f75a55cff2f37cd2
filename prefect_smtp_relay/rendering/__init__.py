"""Turn the body of a mail, written in Markdown, into its HTML and its plain text."""

from __future__ import annotations

from dataclasses import dataclass

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.rendering.markdown import parse, to_html
from prefect_smtp_relay.rendering.page import Frame, wrap_in_page
from prefect_smtp_relay.rendering.plain_text import to_plain_text
from prefect_smtp_relay.rendering.values import Values, fill_in

__all__ = ["Frame", "Rendered", "render"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """The two renderings of one body.

    Args:
        html: a whole HTML document.
        text: the same for readers and programs that show no HTML.
    """

    html: str
    text: str


def render(
    body: str,
    *,
    html: str | None = None,
    text: str | None = None,
    frame: Frame | None = None,
    values: Values | None = None,
) -> Rendered:
    """Render a Markdown body, or take over what the caller has rendered.

    Args:
        body: CommonMark with tables and strikethrough; raw HTML in it is shown, not interpreted.
        html: stands as it is in place of the rendered HTML; it is not wrapped in the page.
        text: stands as it is in place of the rendered plain text.
        frame: logo and footer of what is rendered here.
        values: what the placeholders in the body stand for; it shows as it was typed.

    Returns:
        Both renderings. Where both are given, the body is not read.

    Raises:
        MessageError: the body is no text.
    """
    if not isinstance(body, str):
        raise MessageError(f"body: expected text, got {type(body).__name__}.")
    if html is not None and text is not None:
        return Rendered(html, text)
    frame = frame or Frame()
    tokens, footer = parse(body), parse(frame.footer)
    if values is not None:
        tokens = fill_in(tokens, values)
    return Rendered(
        html=wrap_in_page(to_html(tokens), frame.logo_url, to_html(footer))
        if html is None
        else html,
        text=_join(to_plain_text(tokens), to_plain_text(footer)) if text is None else text,
    )


def _join(text: str, footer: str) -> str:
    """Put the footer behind the signature's separator (RFC 3676, section 4.3)."""
    return f"{text.rstrip()}\n\n-- \n{footer}" if footer.strip() else text
