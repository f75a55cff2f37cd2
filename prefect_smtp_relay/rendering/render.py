"""The two renderings of a body. What parses and writes them is loaded by the first mail."""

from __future__ import annotations

from dataclasses import dataclass

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.mail.message import check_body
from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.values import MAX_TEXT_BYTES, Values


@dataclass(frozen=True, slots=True)
class Rendered:
    """The two renderings of one body.

    Args:
        html: a whole HTML document.
        text: the same for readers and programs that show no HTML.
        flowed: lines of the text that end in a space go on in the next one (RFC 3676).
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
    max_bytes: int = MAX_TEXT_BYTES,
) -> Rendered:
    """Render a Markdown body, or take over what the caller has rendered.

    Args:
        body: CommonMark with tables and strikethrough; raw HTML in it is shown, not interpreted.
        html: used as it is in place of the rendered HTML; it is not wrapped in the page.
        text: used as it is in place of the rendered plain text.
        frame: what is around what is rendered here.
        values: what the placeholders in the body represent; they show as typed.
        max_bytes: of the body with its values.

    Returns:
        Both renderings. Where the body is empty, ``text`` alone has no HTML, and the text of
        ``html`` alone is derived from it.

    Raises:
        MessageError: the body is not a text, is too large, or all three are empty.
    """
    frame = frame or Frame()
    is_empty = not check_body(body, "body").strip()
    if is_empty and not any(part and part.strip() for part in (html, text)):
        raise MessageError("is empty", "Write one, or give `text` or `html`.", field="body")
    if text is not None and (html is not None or is_empty):
        return Rendered(html or "", text)
    # The parsers, Jinja and the inliner are slow to import.
    if html is not None and is_empty:
        from prefect_smtp_relay.rendering.html_text import html_to_text

        return Rendered(html, html_to_text(check_body(html, "html"), max_bytes) or frame.title)
    from prefect_smtp_relay.rendering.body import render_body

    rendered = render_body(body, frame, values, max_bytes)
    return Rendered(
        html=rendered.html if html is None else html,
        text=rendered.text if text is None else text,
        flowed=text is None,
    )
