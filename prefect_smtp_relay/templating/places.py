"""Where a value lands, and how it is written there so that it shows as typed."""

from __future__ import annotations

import re
from typing import Protocol

from markupsafe import escape

from prefect_smtp_relay.rendering.values import Values

_LONGEST_IN_LINE = 500
_LINE_ENDS_AND_CONTROLS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Place(Protocol):
    """Writes the text of a value."""

    def write(self, text: str) -> str:
        """Give what stands for a value in the template's output."""


class Line:
    """A header field: one line, in which a line end is a blank."""

    def write(self, text: str) -> str:
        """Keep the text in its line (RFC 5322, section 2.2), and cut a very long one.

        Servers refuse or cut off headers of many kilobytes, and with them the mail.
        """
        line = _LINE_ENDS_AND_CONTROLS.sub(" ", text)
        return line if len(line) <= _LONGEST_IN_LINE else f"{line[: _LONGEST_IN_LINE - 1]}\u2026"


class PlainText:
    """A text/plain body: nothing in it is markup."""

    def write(self, text: str) -> str:
        """Give the text as it is."""
        return text


class Html:
    """Text or a quoted attribute of HTML."""

    def write(self, text: str) -> str:
        """Escape what HTML would interpret."""
        return str(escape(text))


class Kept:
    """A place that is parsed before its values are filled in: Markdown, or a list of mailboxes.

    Args:
        values: takes each value, and gives the character that stands for it.
    """

    def __init__(self, values: Values) -> None:
        self._values = values

    def write(self, text: str) -> str:
        """Give a value's placeholder, for an empty one too: ``**`` and ``**`` are a rule."""
        return self._values.keep(text)
