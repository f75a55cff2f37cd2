"""Where a value lands, and how it is written there so that it shows as typed."""

from __future__ import annotations

import re
from collections.abc import Callable

from markupsafe import escape

from prefect_smtp_relay.rendering.values import Values, size_of

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LINE_ENDS_AND_CONTROLS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Place:
    """A text/plain body: nothing in it is markup."""

    def write(self, text: str) -> str:
        """Give what represents a value in the template's output: control characters as spaces."""
        return _CONTROLS.sub(" ", text)

    def size(self, text: str) -> int:
        """Bytes of a part of the output."""
        return size_of(text)


class Line(Place):
    """One line: a line end or control character of a value becomes a space.

    Args:
        longest: characters of a value that are shown; 0 for all. Servers refuse or cut off header
            fields of many kilobytes, and with them the mail.
        clean: is shown each value before, and may note what is wrong with it.
    """

    def __init__(self, longest: int = 0, clean: Callable[[str], str] = str) -> None:
        self._longest = longest
        self._clean = clean

    def write(self, text: str) -> str:
        """Keep the value in its line (RFC 5322, section 2.2)."""
        text = self._clean(text)
        line = _LINE_ENDS_AND_CONTROLS.sub(" ", text)
        is_long = 0 < self._longest < len(line)
        return f"{line[: self._longest - 1]}\u2026" if is_long else line

    def size(self, text: str) -> int:
        """Count what is shown."""
        return super().size(text[: self._longest] if self._longest else text)


class Html(Place):
    """Text or a quoted attribute of HTML."""

    def write(self, text: str) -> str:
        """Escape what HTML would interpret."""
        return str(escape(super().write(text)))


class Kept(Place):
    """A place that is parsed before its values are filled in: Markdown, or a list of mailboxes.

    Args:
        values: takes each value, and gives the character that represents it.
    """

    def __init__(self, values: Values) -> None:
        self._values = values

    def write(self, text: str) -> str:
        """Give a value's placeholder, for an empty one too: ``**`` and ``**`` are a rule."""
        return self._values.keep(text)

    def size(self, text: str) -> int:
        """Count the values, not the characters that represent them."""
        return super().size(text) + self._values.size(text)


class Markdown(Kept):
    """A body; NUL is what it is in Markdown (CommonMark, section 2.3)."""

    def write(self, text: str) -> str:
        """Keep what can be shown."""
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        return super().write(_CONTROLS.sub(" ", text))
