"""Turn the body of a mail, written in Markdown, into its HTML and its plain text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from prefect_smtp_relay.mail.message import check_body
from prefect_smtp_relay.rendering.frame import Frame, check_web_address
from prefect_smtp_relay.rendering.markdown import parse, to_html
from prefect_smtp_relay.rendering.page import wrap_in_page
from prefect_smtp_relay.rendering.plain_text import to_plain_text
from prefect_smtp_relay.rendering.values import Values

__all__ = ["Frame", "Rendered", "check_web_address", "render"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """The two renderings of one body.

    Args:
        html: a whole HTML document.
        text: the same for readers and programs that show no HTML.
        flowed: lines of the text that end in a blank go on in the next one (RFC 3676).
    """

    html: str
    text: str
    flowed: bool = False


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
        frame: what stands around what is rendered here.
        values: what the placeholders in the body stand for; they show as typed.

    Returns:
        Both renderings. Where both are given, the body is not read.

    Raises:
        MessageError: the body is no text.
    """
    if html is not None and text is not None:
        check_body(body, "body")
        return Rendered(html, text)
    frame = frame or Frame()
    tokens, footer = parse(check_body(body, "body"), values), _footer(frame.footer)
    return Rendered(
        html=wrap_in_page(to_html(tokens), frame, footer.html) if html is None else html,
        text=_join(to_plain_text(tokens), footer.text) if text is None else text,
        flowed=text is None,
    )


@lru_cache(maxsize=16)
def _footer(markdown: str) -> Rendered:
    """Render a footer; all mails of one flow run have the same."""
    tokens = parse(markdown)
    return Rendered(to_html(tokens), to_plain_text(tokens))


def _join(text: str, footer: str) -> str:
    """Put the footer behind the signature's separator (RFC 3676, section 4.3)."""
    return f"{text}\n\n-- \n{footer}" if footer else text
