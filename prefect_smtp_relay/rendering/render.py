"""The two renderings of a body. What parses and writes them is loaded by the first mail."""

from __future__ import annotations

from dataclasses import dataclass

from prefect_smtp_relay.mail.message import check_body
from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.values import Values


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
) -> Rendered:
    """Render a Markdown body, or take over what the caller has rendered.

    Args:
        body: CommonMark with tables and strikethrough; raw HTML in it is shown, not interpreted.
        html: used as it is in place of the rendered HTML; it is not wrapped in the page.
        text: used as it is in place of the rendered plain text.
        frame: what is around what is rendered here.
        values: what the placeholders in the body represent; they show as typed.

    Returns:
        Both renderings. Where both are given, the body is not read.

    Raises:
        MessageError: the body is not a text.
    """
    if html is not None and text is not None:
        check_body(body, "body")
        return Rendered(html, text)
    # The parser, Jinja and the inliner are slow to import.
    from prefect_smtp_relay.rendering.body import render_body

    rendered = render_body(check_body(body, "body"), frame or Frame(), values)
    return Rendered(
        html=rendered.html if html is None else html,
        text=rendered.text if text is None else text,
        flowed=text is None,
    )
