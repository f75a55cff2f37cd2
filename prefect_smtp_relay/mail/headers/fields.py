"""One header field: what may be set, and how it is written (RFC 5322, RFC 2047)."""

from __future__ import annotations

import re
from email.header import Header

from prefect_smtp_relay.exceptions import InvalidHeader
from prefect_smtp_relay.mail.address_syntax import quote
from prefect_smtp_relay.mail.mailbox import Mailbox

HeaderFields = tuple[tuple[str, str], ...]
"""Names and values, in their order."""

PLAIN_WORDS = re.compile(r"(?:[!-~]+(?: [!-~]+)*)?")
MAX_LINE_LENGTH = 76
"""What RFC 2047, section 2, asks for where there are encoded words; 78 would do elsewhere."""
MAX_WORD_LENGTH = 900
"""Of what cannot be folded: a line has up to 998 bytes (RFC 5322, section 2.1.1)."""

_NAME = re.compile(r"[!-9;-~]{1,76}")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_MAX_NAME_WORD_LENGTH = 60

RESERVED = frozenset(
    {
        *("from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id"),
        *("mime-version", "return-path", "received", "dkim-signature"),
    }
)
_RESERVED_PREFIXES = ("content-", "resent-", "arc-")


def check_text(value: str, field: str) -> str:
    """Return a header's text if it fits in one line.

    Raises:
        InvalidHeader: it contains CR, LF, NUL, another control character but the tab (RFC 5322,
            section 2.2), or one of Unicode's line ends.
    """
    if not isinstance(value, str):
        raise InvalidHeader(f"expected text, got {type(value).__name__}", field=field)
    if found := _FORBIDDEN.search(value):
        raise InvalidHeader(
            f"contains the character {found.group()!r} at position {found.start()}",
            "Remove it: a header is one line without control characters.",
            field=field,
        )
    return value


def check_field(name: str, value: str) -> tuple[str, str]:
    """Return a free header field if the caller may set it.

    Raises:
        InvalidHeader: the name is malformed or reserved, or the value is not one line.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidHeader(
            f"{name!r} is not a header name",
            "Use letters, digits and hyphens, at most 76.",
            field="headers",
        )
    lowered = name.lower()
    if lowered in RESERVED or lowered.startswith(_RESERVED_PREFIXES):
        raise InvalidHeader(
            f"{name} is set by the message itself",
            "Remove it, or use the argument of that name where there is one.",
            field="headers",
        )
    return name, check_text(value, f"headers[{name!r}]").strip(" \t")


def unstructured(name: str, value: str) -> str:
    """Write a field of free text, folded, and as encoded words where it is not ASCII.

    Returns:
        The whole field without the final line end.
    """
    line = f"{name}: {value}"
    is_plain = PLAIN_WORDS.fullmatch(value) and "=?" not in value
    if is_plain and len(line) <= MAX_LINE_LENGTH:
        return line
    if is_plain and max(map(len, value.split(" "))) < MAX_WORD_LENGTH:
        return _fold(f"{name}:", value.split(" "))
    return f"{name}: {encoded_words(value, name)}"


def mailboxes(name: str, values: tuple[Mailbox, ...]) -> str:
    """Write a field of mailboxes, folded between and within them where the line gets long."""
    words: list[str] = []
    for value in values:
        *display_name, address = _mailbox(value)
        words += [*display_name, f"{address},"]
    words[-1] = words[-1].removesuffix(",")
    return _fold(f"{name}:", words)


def encoded_words(text: str, header_name: str = "", length: int = MAX_LINE_LENGTH) -> str:
    """Write a text as encoded words, with a fold between each and the next."""
    header = Header(text, "utf-8", maxlinelen=length, header_name=header_name)
    return header.encode(linesep="\r\n")


def _mailbox(mailbox: Mailbox) -> list[str]:
    """Write a mailbox as the words between which its field may be folded."""
    name = mailbox.display_name
    if not name:
        return [mailbox.address]
    is_plain = name.isascii() and "=?" not in name
    if not is_plain or max(map(len, name.split(" "))) > _MAX_NAME_WORD_LENGTH:
        words = encoded_words(name, length=_MAX_NAME_WORD_LENGTH).split("\r\n ")
    else:
        words = (name if _ATOMS.fullmatch(name) else quote(name)).split(" ")
    return [*words, f"<{mailbox.address}>"]


def _fold(start: str, words: list[str]) -> str:
    """Join words with spaces, and with a fold (RFC 5322, section 2.2.3) where a line gets long."""
    lines, line = [], start
    for word in words:
        if len(line) + 1 + len(word) > MAX_LINE_LENGTH and line != start:
            lines.append(line)
            line = ""
        line = f"{line} {word}"
    return "\r\n".join([*lines, line])
