"""Values that the Markdown parser never sees: it reads a character for each, filled in after it.

So no text of a value can be markup, wherever it lands: in a line, a link's target, a code block.
"""

from __future__ import annotations

import re

from prefect_smtp_relay.exceptions import MessageError

MEGABYTE = 1024 * 1024
MAX_TEXT_BYTES = 2 * MEGABYTE
"""Of one text of a mail with its values: what the setting ``max_text_megabytes`` has as default."""

_FIRST = 0xF0000
MAX_VALUES = 0xFFFD
ANY_PLACEHOLDER = f"{chr(_FIRST)}-{chr(_FIRST + MAX_VALUES)}"
"""As a part of a set of a regular expression."""

PLACEHOLDER = re.compile(f"[{ANY_PLACEHOLDER}]")
"""Plane 15 of Unicode, for private use: `withhold` removes it from texts and values."""


def withhold(text: str) -> str:
    """Replace characters that could be taken for placeholders; no font shows them."""
    return PLACEHOLDER.sub("\N{REPLACEMENT CHARACTER}", text)


def size_of(text: str) -> int:
    """Bytes of a text in UTF-8; half a character, which `check_body` refuses later, counts too."""
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


class Values:
    """Values by the characters that represent them."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def keep(self, text: str) -> str:
        """Keep a value.

        Args:
            text: may contain placeholders of values kept before.

        Returns:
            The character that represents it.

        Raises:
            MessageError: there are too many.
        """
        if len(self._texts) >= MAX_VALUES:
            raise MessageError(
                f"more than {MAX_VALUES:,} values", "Write less, or attach a file.", field="body"
            )
        self._texts.append(self.fill(text))
        return chr(_FIRST + len(self._texts) - 1)

    @property
    def lines(self) -> int:
        """Line ends in all values."""
        return sum(text.count("\n") for text in self._texts)

    def fill(self, text: str) -> str:
        """Put the values in the place of their characters."""
        if text.isascii():
            return text
        return PLACEHOLDER.sub(lambda found: self.text_of(found.group()), text)

    def size(self, text: str) -> int:
        """Bytes of the values that a text contains placeholders of."""
        if text.isascii():
            return 0
        return sum(size_of(self.text_of(found)) for found in PLACEHOLDER.findall(text))

    def text_of(self, character: str) -> str:
        """The value that a character represents."""
        number = ord(character) - _FIRST
        return self._texts[number] if number < len(self._texts) else ""
