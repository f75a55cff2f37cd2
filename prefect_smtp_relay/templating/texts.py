"""The texts of one mail, before and after its values are filled in."""

from __future__ import annotations

from dataclasses import dataclass

from prefect_smtp_relay.rendering.values import Values
from prefect_smtp_relay.templating.context import Record
from prefect_smtp_relay.templating.places import Html, Kept, Line, PlainText
from prefect_smtp_relay.templating.template import fill


@dataclass(frozen=True)
class Texts:
    """What a mail says.

    Args:
        subject, preheader: one line each.
        body: Markdown.
        html, text: in place of what the body renders to, or None.
        values: what the placeholders in the body stand for; None where it is no template.
    """

    subject: str
    body: str
    preheader: str = ""
    html: str | None = None
    text: str | None = None
    values: Values | None = None

    def filled(self, context: Record) -> Texts:
        """Fill values into each text, written so that they show as typed where they land.

        Raises:
            InvalidTemplate: with the field, the line, and what to change.
        """
        values, line = Values(), Line()
        return Texts(
            subject=fill(self.subject, context, line, "subject").strip(),
            body=fill(self.body, context, Kept(values), "body"),
            preheader=fill(self.preheader, context, line, "preheader").strip(),
            html=None if self.html is None else fill(self.html, context, Html(), "html"),
            text=None if self.text is None else fill(self.text, context, PlainText(), "text"),
            values=values,
        )
