"""One mailbox: a display name and an address, checked where it enters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from prefect_smtp_relay.exceptions import InvalidMailbox
from prefect_smtp_relay.mail.domain import to_a_labels

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a0-\U0010ffff-]+"
_DOT_ATOM = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_IN_ANGLES = rf'<(?P<address>(?:{_QUOTED}|[^<>"])*)>'
_QUOTED_STRING = re.compile(_QUOTED)
# The closing quote is optional: without it the rest is one entry, and is read only once.
_LIST_TOKEN = re.compile(rf'{_QUOTED}?|{_IN_ANGLES}|[^,"<]+|[,<]')
_ENCODED_WORD = re.compile(r"=\?.*\?=")
_SPECIAL = re.compile(r'[",<>\\]')
_BLANKS = re.compile(r" +")
_INVISIBLE = frozenset({"Cf", "Zs"})
_NAMED = re.compile(rf"(?P<name>{_QUOTED}\s*|[^<>]*){_IN_ANGLES}")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox of RFC 5321, section 4.1.2, with the display name of RFC 5322, section 3.4.

    Args:
        local_part: the part before the ``@``, quoted where it has to be; kept in NFC.
        domain: the part behind it; kept as A-labels.
        display_name: plain text, or blank; kept with single blanks between its words.

    Raises:
        InvalidMailbox: one of them cannot stand in an address.
    """

    local_part: str
    domain: str
    display_name: str = ""

    def __post_init__(self) -> None:
        _refuse_control_characters(f"{self.local_part}{self.domain}{self.display_name}")
        checked = {
            "local_part": _check_local_part(self.local_part),
            "domain": _check_domain(self.domain),
            "display_name": _BLANKS.sub(" ", self.display_name).strip(" "),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def address(self) -> str:
        """``local@domain``, as it stands in the envelope."""
        return f"{self.local_part}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a relay with SMTPUTF8 (RFC 6531) can take it."""
        return not self.local_part.isascii()

    def __str__(self) -> str:
        if not self.display_name:
            return self.address
        is_special = _SPECIAL.search(self.display_name)
        return f"{quote(self.display_name) if is_special else self.display_name} <{self.address}>"

    @classmethod
    def parse(cls, value: str | Mailbox, field: str = "address") -> Mailbox:
        """Read one mailbox: ``ann@example.org`` or ``Ann <ann@example.org>``.

        Args:
            value: the mailbox; one that is parsed already is returned as it is.
            field: the name of the argument, for the error.

        Raises:
            InvalidMailbox: with the field, the text and what is wrong with it.
        """
        if isinstance(value, Mailbox):
            return value
        if not isinstance(value, str):
            raise InvalidMailbox(f"{field}: expected text, got {type(value).__name__}.")
        try:
            return _parse(value)
        except InvalidMailbox as error:
            raise InvalidMailbox(
                f"{field}: {value!r} is not an e-mail address: {error}."
            ) from error

    @classmethod
    def parse_list(cls, value: AddressInput, field: str = "to") -> tuple[Mailbox, ...]:
        """Read mailboxes from a text with commas between them, or from a list.

        Args:
            value: text, a mailbox, a list of either, or None for nobody.
            field: the name of the argument, for the error.

        Returns:
            The mailboxes in their order, each address once, whatever its case.

        Raises:
            InvalidMailbox: with the field, the text and what is wrong with it.
        """
        unique: dict[str, Mailbox] = {}
        for entry in entries(value, field):
            mailbox = cls.parse(entry, field)
            unique.setdefault(mailbox.address.lower(), mailbox)
        return tuple(unique.values())


AddressInput = str | Mailbox | Iterable[str | Mailbox] | None


def entries(value: AddressInput, field: str) -> Iterator[str | Mailbox]:
    """Part a list of mailboxes into its entries, at commas outside quotes and angle brackets.

    Args:
        value: text, a mailbox, a list of either, or None.
        field: the name of the argument, for the error.

    Raises:
        InvalidMailbox: it is none of these.
    """
    for item in items(value, field):
        yield from _split(item) if isinstance(item, str) else (item,)


def items(value: AddressInput, field: str) -> Iterator[str | Mailbox]:
    """Give what a list of mailboxes holds; a text in it may still name several.

    Args:
        value: text, a mailbox, a list of either, or None.
        field: the name of the argument, for the error.

    Raises:
        InvalidMailbox: it is none of these.
    """
    if value is None:
        return
    if isinstance(value, (str, Mailbox)):
        yield value
    elif isinstance(value, Iterator):
        raise InvalidMailbox(
            f"{field}: this can be read only once, and a retry reads it again; pass a list."
        )
    elif isinstance(value, Iterable) and not isinstance(value, (bytes, Mapping)):
        yield from value
    else:
        raise InvalidMailbox(f"{field}: expected text or a list, got {type(value).__name__}.")


def _split(text: str) -> Iterator[str]:
    """Split at the commas that stand outside quotes and angle brackets."""
    entry = ""
    for piece in (match.group() for match in _LIST_TOKEN.finditer(text)):
        if piece == ",":
            yield from _not_blank(entry)
            entry = ""
        else:
            entry += piece
    yield from _not_blank(entry)


def _not_blank(entry: str) -> Iterator[str]:
    if entry.strip(" \t"):
        yield entry


@lru_cache(maxsize=8192)
def _parse(text: str) -> Mailbox:
    _refuse_control_characters(text)
    named = _NAMED.fullmatch(text.strip())
    address = named["address"] if named else text
    display_name = _unquote(named["name"].strip()) if named else ""
    local_part, at, domain = address.strip().rpartition("@")
    if not at:
        raise InvalidMailbox(
            "it has no @ (write name@example.org; a display name that holds a comma needs quotes)"
        )
    return Mailbox(local_part, domain, display_name)


def quote(text: str) -> str:
    """Write a text as a quoted-string (RFC 5322, section 3.2.4)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _unquote(name: str) -> str:
    is_quoted = _QUOTED_STRING.fullmatch(name)
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if is_quoted else name


def _refuse_control_characters(text: str) -> None:
    if found := _FORBIDDEN.search(text):
        raise InvalidMailbox(f"it holds the control character {found.group()!r}")


def _check_local_part(local_part: str) -> str:
    local_part = unicodedata.normalize("NFC", local_part)
    if not 1 <= len(local_part.encode()) <= 64:
        raise InvalidMailbox("the part before the @ must have 1 to 64 octets")
    if not (_DOT_ATOM.fullmatch(local_part) or _QUOTED_STRING.fullmatch(local_part)):
        raise InvalidMailbox(
            f"the part before the @, {local_part!r}, holds what only quotes permit"
        )
    if _ENCODED_WORD.search(local_part):
        # RFC 2047, section 5, has none in an address; readers decode it, and see another one.
        raise InvalidMailbox("the part before the @ looks like an encoded word of RFC 2047")
    for character in local_part:
        if not character.isascii() and unicodedata.category(character) in _INVISIBLE:
            raise InvalidMailbox(
                f"the part before the @ holds the invisible character U+{ord(character):04X}"
            )
    return local_part


def _check_domain(domain: str) -> str:
    if domain != domain.strip():
        raise InvalidMailbox("there is a blank beside the domain")
    try:
        return to_a_labels(domain)
    except ValueError as error:
        raise InvalidMailbox(str(error)) from error
