"""A Markdown body within its page, and as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.rendering.dedent import dedent
from prefect_smtp_relay.rendering.directions import direction_of_language, mark_directions
from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.labels import Label
from prefect_smtp_relay.rendering.markdown import parse, to_html
from prefect_smtp_relay.rendering.page import wrap_in_page
from prefect_smtp_relay.rendering.plain_inline import wrap
from prefect_smtp_relay.rendering.plain_text import LINE_WIDTH, to_plain_text
from prefect_smtp_relay.rendering.quoting import end_directions
from prefect_smtp_relay.rendering.render import Rendered
from prefect_smtp_relay.rendering.snippet import first_words
from prefect_smtp_relay.rendering.values import Values

_SHOWS = re.compile(r"<(?:img|hr)\b|>[^<]*[^\s<]")
"""What a reader sees of HTML."""


def render_body(body: str, frame: Frame, values: Values | None, max_bytes: int) -> Rendered:
    """Render a body with what is around it.

    Args:
        body: Markdown; one that is a filled template has its values.
        frame: what is around it.
        values: what its placeholders represent.
        max_bytes: of it with its values.

    Raises:
        MessageError: nothing is left of it once it is filled in.
    """
    tokens = parse(body if values else dedent(body), values, max_bytes)
    if not frame.preheader:
        frame = replace(frame, preheader=first_words(tokens, frame.title))
    mark_directions(tokens, direction_of_language(frame.language))
    footer = _footer(frame.footer)
    text, html = to_plain_text(tokens), to_html(tokens)
    if values is not None and not _SHOWS.search(html):
        raise MessageError(
            "is empty once the values are filled in",
            "Write what to say where there are none, such as {% else %}.",
            field="body",
        )
    return Rendered(
        html=wrap_in_page(html, frame, footer.html),
        text=_write_text(text, frame.labels, footer.text),
        flowed=True,
    )


def _write_text(text: str, labels: Iterable[Label], footer: str) -> str:
    shown = " | ".join(end_directions(label.text) for label in labels)
    head = "\n".join(wrap(f"[{shown}]", LINE_WIDTH)) if shown else ""
    # The separator of a signature (RFC 3676, section 4.3).
    foot = f"-- \n{footer}" if footer else ""
    return "\n\n".join(filter(None, (head, text, foot)))


@lru_cache(maxsize=16)
def _footer(markdown: str) -> Rendered:
    """Render a footer; all mails of one flow run have the same."""
    tokens = parse(markdown)
    return Rendered(to_html(tokens), to_plain_text(tokens))
