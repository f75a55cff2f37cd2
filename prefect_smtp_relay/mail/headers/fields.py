"""Header fields: what may be set, and how it is written (RFC 5322, 2047, 2231)."""

from __future__ import annotations

import re
from email.header import Header
from urllib.parse import quote as percent_encode

from prefect_smtp_relay.exceptions import InvalidHeader
from prefect_smtp_relay.mail.mailbox import Mailbox, quote

_NAME = re.compile(r"[!-9;-~]{1,76}")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PRINTABLE_WORDS = re.compile(r"(?:[!-~]+(?: [!-~]+)*)?")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_LINE_LENGTH = 76
"""What RFC 2047, section 2, asks for where there are encoded words; 78 would do elsewhere."""
_NAME_WORD_LENGTH = 60
_PIECE_LENGTH = 50
_LONGEST_WORD = 900

RESERVED = frozenset(
    {
        *("from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id"),
        *("mime-version", "auto-submitted", "return-path", "received", "dkim-signature"),
    }
)
_RESERVED_PREFIXES = ("content-", "resent-", "arc-")


def check_text(value: str, field: str) -> str:
    """Return a header's text if it can stand in one line.

    Raises:
        InvalidHeader: it holds CR, LF, NUL, another control character but the tab (RFC 5322,
            section 2.2), or one of Unicode's line ends.
    """
    if not isinstance(value, str):
        raise InvalidHeader(f"{field}: expected text, got {type(value).__name__}.")
    if found := _FORBIDDEN.search(value):
        raise InvalidHeader(
            f"{field}: holds the character {found.group()!r} at position {found.start()}; a header"
            " is one line without control characters. Take it out."
        )
    return value


def check_field(name: str, value: str) -> tuple[str, str]:
    """Return a free header field if the caller may set it.

    Raises:
        InvalidHeader: the name is malformed or reserved, or the value is not one line.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidHeader(
            f"headers: {name!r} is not a header name; use letters, digits and hyphens, at most 76."
        )
    lowered = name.lower()
    if lowered in RESERVED or lowered.startswith(_RESERVED_PREFIXES):
        raise InvalidHeader(
            f"headers: {name} is set by the message itself. Take it out, or use the argument of"
            " that name where there is one."
        )
    return name, check_text(value, f"headers[{name!r}]").strip(" \t")


def unstructured(name: str, value: str) -> str:
    """Write a field of free text, folded, and as encoded words where it is not ASCII.

    Returns:
        The whole field without the final line end.
    """
    line = f"{name}: {value}"
    is_plain = _PRINTABLE_WORDS.fullmatch(value) and "=?" not in value
    if is_plain and len(line) <= _LINE_LENGTH:
        return line
    if is_plain and max(map(len, value.split(" "))) < _LONGEST_WORD:
        return _fold(f"{name}:", value.split(" "))
    return f"{name}: {_encoded_words(value, name)}"


def mailboxes(name: str, values: tuple[Mailbox, ...]) -> str:
    """Write a field of mailboxes, folded between and within them where the line gets long."""
    words: list[str] = []
    for value in values:
        *display_name, address = _mailbox(value)
        words += [*display_name, f"{address},"]
    words[-1] = words[-1].removesuffix(",")
    return _fold(f"{name}:", words)


def with_parameter(name: str, value: str, parameter: str, text: str) -> str:
    """Write a field with one parameter, in the form of RFC 2231 where it is not ASCII."""
    if _PRINTABLE_WORDS.fullmatch(text) and len(text) < 60 and "=?" not in text:
        return f"{name}: {value};\r\n {parameter}={quote(text)}"
    return f"{name}: {value};\r\n " + ";\r\n ".join(_continuations(parameter, text))


def _continuations(parameter: str, text: str) -> list[str]:
    """RFC 2231, sections 3 and 4, cut between characters: readers decode piece by piece."""
    pieces = [""]
    for character in (percent_encode(c, safe="", encoding="utf-8") for c in text):
        if len(pieces[-1]) + len(character) > _PIECE_LENGTH:
            pieces.append("")
        pieces[-1] += character
    if len(pieces) == 1:
        return [f"{parameter}*=utf-8''{pieces[0]}"]
    pieces[0] = f"utf-8''{pieces[0]}"
    return [f"{parameter}*{number}*={piece}" for number, piece in enumerate(pieces)]


def _mailbox(mailbox: Mailbox) -> list[str]:
    """Write a mailbox as the words between which its field may be folded."""
    name = mailbox.display_name
    if not name:
        return [mailbox.address]
    address = f"<{mailbox.address}>"
    if not name.isascii() or "=?" in name or len(name) > _NAME_WORD_LENGTH:
        return [*_encoded_words(name, length=_NAME_WORD_LENGTH).split("\r\n "), address]
    if not _ATOMS.fullmatch(name):
        name = quote(name)
    return [name, address]


def _encoded_words(text: str, header_name: str = "", length: int = _LINE_LENGTH) -> str:
    header = Header(text, "utf-8", maxlinelen=length, header_name=header_name)
    return header.encode(linesep="\r\n")


def _fold(start: str, words: list[str]) -> str:
    """Join words with blanks, and with a fold (RFC 5322, section 2.2.3) where a line gets long."""
    lines, line = [], start
    for word in words:
        if len(line) + 1 + len(word) > _LINE_LENGTH and line != start:
            lines.append(line)
            line = ""
        line = f"{line} {word}"
    return "\r\n".join([*lines, line])
