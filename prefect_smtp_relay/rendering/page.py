"""The page around the body: header, card and footer, readable on a phone and in the dark."""

from __future__ import annotations

from markupsafe import Markup

from prefect_smtp_relay.mail.message import SENDER_NAME
from prefect_smtp_relay.rendering.directions import (
    Direction,
    direction_of,
    direction_of_language,
)
from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.quoting import clean
from prefect_smtp_relay.rendering.snippet import MAX_LENGTH
from prefect_smtp_relay.rendering.theme import fill_page

_PADDING = "\u034f\u200c\u00a0"
"""A joiner and a non-joiner of no width, then a space: no program folds them into one."""


def wrap_in_page(fragment: str, frame: Frame, footer: str = "") -> str:
    """Put the body's HTML into the page.

    Args:
        fragment: HTML in which no text of the author is markup.
        frame: what is around it.
        footer: the frame's footer as such HTML.

    Returns:
        A whole HTML document.
    """
    return fill_page(
        title=clean(frame.title),
        language=frame.language,
        direction=(base := direction_of_language(frame.language)),
        preheader=frame.preheader,
        # So that inboxes show nothing of the body after it.
        padding=_PADDING * max(MAX_LENGTH - len(frame.preheader), 0),
        logo_url=frame.logo_url,
        # Where the sender is not known yet, a comment is in its place.
        name=Markup(SENDER_NAME) if frame.name == SENDER_NAME else clean(frame.name),  # noqa: S704
        tone=frame.tone,
        labels=frame.labels,
        badges_direction=_direction_of_badges(frame, base),
        content=Markup(fragment),  # noqa: S704 - the Markdown renderer has escaped it
        footer=Markup(footer),  # noqa: S704 - as above
    )


def _direction_of_badges(frame: Frame, base: Direction) -> Direction:
    """A page from right to left begins on the right, whatever letters its labels begin with."""
    words = direction_of(" ".join(label.text for label in frame.labels))
    return "rtl" if "rtl" in {base, words} else "ltr"
