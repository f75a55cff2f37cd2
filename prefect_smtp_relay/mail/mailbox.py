"""One mailbox: a display name and an address, checked where it enters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from prefect_smtp_relay.exceptions import InvalidMailbox
from prefect_smtp_relay.mail.address_syntax import QUOTED, quote, split_list, split_mailbox
from prefect_smtp_relay.mail.domain import to_a_labels

MAX_LOCAL_PART_BYTES = 64
MAX_NAME_LENGTH = 10_000
"""Of a display name; no relay takes a header as long as many such names."""

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a0-\U0010ffff-"
_DOT_ATOM = re.compile(rf"[{_ATEXT}]+(?:\.[{_ATEXT}]+)*")
_ATOMS_AND_DOTS = re.compile(rf"[.{_ATEXT}]+")
_QUOTED_STRING = re.compile(QUOTED)
_ENCODED_WORD = re.compile(r"=\?.*\?=")
_SPECIAL = re.compile(r'[",<>\\]')
_SPACES = re.compile(r" +")
_INVISIBLE = frozenset({"Cf", "Zs"})
_FIX = "Write ann@example.org, or Ann <ann@example.org>."


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox of RFC 5321, section 4.1.2, with the display name of RFC 5322, section 3.4.

    Args:
        local_part: the part before the ``@``, kept in NFC, and in quotes where it needs them.
        domain: the part after it; kept as A-labels.
        display_name: plain text, or empty; kept with single spaces between its words.

    Raises:
        InvalidMailbox: one of them cannot be part of an address.
    """

    local_part: str
    domain: str
    display_name: str = ""

    def __post_init__(self) -> None:
        _refuse_control_characters(f"{self.local_part}{self.domain}{self.display_name}")
        checked = {
            "local_part": _check_local_part(self.local_part),
            "domain": _check_domain(self.domain),
            "display_name": _check_name(self.display_name),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def address(self) -> str:
        """``local@domain``, as in the envelope."""
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
            raise InvalidMailbox(f"expected text, got {type(value).__name__}", _FIX, field=field)
        try:
            return _parse(value)
        except InvalidMailbox as error:
            problem = f"{_shortened(value)!r} is not an e-mail address: {error.problem}"
            raise InvalidMailbox(problem, error.fix, field=field) from error

    @classmethod
    def parse_list(cls, value: AddressInput, field: str = "to") -> tuple[Mailbox, ...]:
        """Read mailboxes from a text that lists them, or from a list.

        Args:
            value: text with commas, semicolons or line ends between the mailboxes, a mailbox, a
                list of either, or None for nobody.
            field: the name of the argument, for the error.

        Returns:
            The mailboxes in their order, each address once, whatever its case.

        Raises:
            InvalidMailbox: with the field, the text and what is wrong with it.
        """
        return each_once(cls.parse(entry, field) for entry in entries(value, field))


AddressInput = str | Mailbox | Iterable[str | Mailbox] | None


def each_once(mailboxes: Iterable[Mailbox]) -> tuple[Mailbox, ...]:
    """Keep the first mailbox of each address, whatever its case."""
    unique: dict[str, Mailbox] = {}
    for mailbox in mailboxes:
        unique.setdefault(mailbox.address.lower(), mailbox)
    return tuple(unique.values())


def entries(value: AddressInput, field: str) -> Iterator[str | Mailbox]:
    """Split a list of mailboxes into its entries.

    Args:
        value: text, a mailbox, a list of either, or None.
        field: the name of the argument, for the error.

    Raises:
        InvalidMailbox: it is none of these.
    """
    for item in items(value, field):
        yield from split_list(item) if isinstance(item, str) else (item,)


def items(value: AddressInput, field: str) -> Iterator[str | Mailbox]:
    """Give the items of a list of mailboxes; a text among them may still name several.

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
            "this can be read only once, and a retry reads it again", "Pass a list.", field=field
        )
    elif isinstance(value, Iterable) and not isinstance(value, (bytes, Mapping)):
        yield from value
    else:
        kind = type(value).__name__
        raise InvalidMailbox(f"expected text or a list, got {kind}", _FIX, field=field)


@lru_cache(maxsize=8192)
def _parse(text: str) -> Mailbox:
    _refuse_control_characters(text)
    display_name, local_part, domain = split_mailbox(text)
    if not local_part and "@" not in text:
        raise InvalidMailbox(
            "it has no @",
            "Write name@example.org; a display name that contains a comma needs quotes.",
        )
    if "@" in local_part and not _QUOTED_STRING.fullmatch(local_part):
        raise InvalidMailbox(
            "it has more than one @",
            "Write a comma between two addresses, as in ann@example.org, bob@example.org.",
        )
    return Mailbox(local_part, domain, display_name)


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}..."


def _refuse_control_characters(text: str) -> None:
    if found := _FORBIDDEN.search(text):
        raise InvalidMailbox(f"it contains the control character {found.group()!r}", "Remove it.")


def _check_name(name: str) -> str:
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidMailbox(f"its name has over {MAX_NAME_LENGTH:,} characters", "Shorten it.")
    return _SPACES.sub(" ", name).strip(" ")


def _check_local_part(local_part: str) -> str:
    local_part = unicodedata.normalize("NFC", local_part)
    if not _DOT_ATOM.fullmatch(local_part) and _ATOMS_AND_DOTS.fullmatch(local_part):
        local_part = quote(local_part)  # "a..b." is an address of its owner's, in quotes only
    if not 1 <= len(local_part.encode()) <= MAX_LOCAL_PART_BYTES:
        raise InvalidMailbox("the part before the @ must have 1 to 64 bytes", _FIX)
    if not (_DOT_ATOM.fullmatch(local_part) or _QUOTED_STRING.fullmatch(local_part)):
        raise InvalidMailbox(
            f"the part before the @, {local_part!r}, contains what is allowed only in quotes", _FIX
        )
    if _ENCODED_WORD.search(local_part):
        # RFC 2047, section 5, has none in an address; readers decode it, and see another one.
        raise InvalidMailbox("the part before the @ looks like an encoded word of RFC 2047", _FIX)
    for character in local_part:
        if not character.isascii() and unicodedata.category(character) in _INVISIBLE:
            raise InvalidMailbox(
                f"the part before the @ contains the invisible character U+{ord(character):04X}",
                "Remove it.",
            )
    return local_part


def _check_domain(domain: str) -> str:
    if domain != domain.strip():
        raise InvalidMailbox("there is a space next to the domain", "Remove it.")
    try:
        return to_a_labels(domain)
    except ValueError as error:
        raise InvalidMailbox(str(error), _FIX) from error
