"""A reply of the server (RFC 5321, section 4.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from prefect_smtp_relay.mail.receipt import Refusal
from prefect_smtp_relay.transports.redaction import visible

_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|$)")
_MAX_TEXT = 500


class MalformedReply(Exception):
    """The server's answer is not a reply of RFC 5321, section 4.2."""


def printable(text: str) -> str:
    """Make one printable line of what a server wrote, cut at 500 characters."""
    return visible(text)[:_MAX_TEXT]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply code and its lines, without the code on each."""

    code: int
    lines: tuple[str, ...]

    @property
    def enhanced_code(self) -> str:
        """The enhanced status code of RFC 3463 that the text begins with, or empty."""
        found = _ENHANCED.match(self.lines[0]) if self.lines else None
        return found[1] if found else ""

    @property
    def text(self) -> str:
        """The server's words in one printable line, without the codes, cut at 500 characters."""
        words = (_ENHANCED.sub("", line, count=1) for line in self.lines)
        return printable(" ".join(words))

    @property
    def is_positive(self) -> bool:
        """2yz: done."""
        return 200 <= self.code < 300

    @property
    def is_transient(self) -> bool:
        """4yz: the same may pass later."""
        return 400 <= self.code < 500

    @property
    def is_negative(self) -> bool:
        """4yz or 5yz: not done."""
        return 400 <= self.code < 600

    def as_refusal(self) -> Refusal:
        """The refusal of one recipient, for the receipt."""
        return Refusal(code=self.code, enhanced_code=self.enhanced_code, text=self.text)

    def __str__(self) -> str:
        return " ".join(filter(None, [str(self.code), self.enhanced_code, self.text]))
