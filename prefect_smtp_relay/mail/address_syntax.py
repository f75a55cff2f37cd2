"""How people write mailboxes, one or many in a text: where each begins, and what its parts are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prefect_smtp_relay.mail.encoded_words import decode_words

QUOTED = r'"(?:[^"\\]|\\.)*"'
_IN_ANGLES = rf'<(?P<address>(?:{QUOTED}|[^<>"])*)>'
_QUOTED_STRING = re.compile(QUOTED)
# The closing quote is optional: without it the rest is one entry, and is read only once.
_PIECE = re.compile(rf'{QUOTED}?|{_IN_ANGLES}|[^,;\r\n"<]+|[,;\r\n<]')
_NAMED = re.compile(rf"(?P<name>{QUOTED}\s*|[^<>]*){_IN_ANGLES}")
_DOUBLED_ANGLES = re.compile(r'<<([^<>"]*)>>')
_EDGES = (
    " \t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f"
    "\u3000\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068"
    "\u2069\ufeff"
)
"""Spaces, and what is not seen: it comes along where an address is copied from a page."""
_MAILTO = re.compile(r"\Amailto:", re.IGNORECASE)


def split_list(text: str) -> Iterator[str]:
    """Split a list at commas, semicolons and line ends outside quotes and angle brackets.

    Where semicolons or line ends divide it, a name may contain a comma, as in Outlook's lists
    (``Doe, Ann <ann@example.org>; bob@example.org``).
    """
    groups = [[""]]
    for piece in (match.group() for match in _PIECE.finditer(text)):
        if piece in {";", "\r", "\n"}:
            groups.append([""])
        elif piece == ",":
            groups[-1].append("")
        else:
            groups[-1][-1] += piece
    for group in groups:
        found = [entry for each in group if (entry := each.strip(_EDGES))]
        yield from [", ".join(found)] if len(groups) > 1 and _is_one(found) else found


def _is_one(entries: list[str]) -> bool:
    """Whether the commas are within one name: only the last entry has an address."""
    *names, last = entries or [""]
    return last.endswith(">") and not any("@" in name for name in names)


def split_mailbox(text: str) -> tuple[str, str, str]:
    """Return display name, local part and domain; without an ``@`` there is no local part."""
    text = text.strip(_EDGES)
    named = _NAMED.fullmatch(text) or _NAMED.fullmatch(_DOUBLED_ANGLES.sub(r"<\1>", text))
    address = _MAILTO.sub("", (named["address"] if named else text).strip(_EDGES))
    local_part, _, domain = address.rpartition("@")
    return _unquote(named["name"].strip(_EDGES)) if named else "", local_part, domain


def quote(text: str) -> str:
    """Write a text as a quoted-string (RFC 5322, section 3.2.4)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _unquote(name: str) -> str:
    """Many programs write encoded words in quotes, and all read them there."""
    is_quoted = _QUOTED_STRING.fullmatch(name)
    return decode_words(re.sub(r"\\(.)", r"\1", name[1:-1]) if is_quoted else name)
