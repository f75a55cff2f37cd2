"""Which domains a reader sees in a text: those after an ``@``, however they are typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from prefect_smtp_relay.mail.domain import to_a_labels
from prefect_smtp_relay.mail.encoded_words import decode_words

_AFTER_AT = re.compile(r"@\s*([^\s@]+)")
_WORD = re.compile(r"[^\s@]+")
_SEPARATORS = ".\u3002-_"
_HYPHENS = re.compile("[\u2010-\u2015\u2043\u2212]")
"""They look like the hyphen of a domain; NFKC keeps them."""
_COMMENT = re.compile(r"\([^()]*\)")
_SPACED_DOT = re.compile(r"\s*\.\s*")
_MAX_LABELS = 10
# Unicode's Default_Ignorable_Code_Point, which has no place in `unicodedata`; and the thin spaces.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff\u2006\u2008-\u200a\u202f\u205f]"
)
_TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Embeddings, overrides and isolates: what is after them may be read in another order."""


def turns_an_address(text: str) -> bool:
    """Whether a text has an ``@``, and characters that change the order in which it is read."""
    return bool(_TURNED.search(text)) and "@" in unicodedata.normalize("NFKC", text)


def domains_shown(text: str, *, without_at: bool = False) -> Iterator[str]:
    """Give the domains of what looks like addresses, and the domains that these are below.

    Args:
        text: a name or a header's value, perhaps with encoded words or backslashes in it.
        without_at: give every word that could be a domain.

    Returns:
        A-labels, as from `to_a_labels`.
    """
    plain = decode_words(text)
    for form in {text, plain, plain.replace("\\", ""), _as_parsed(plain)}:
        seen = "".join(map(_keep_domain_character, _as_seen(form)))
        for order in (seen, *_other_orders(seen)):
            for found in (_WORD if without_at else _AFTER_AT).findall(order):
                yield from _with_parents(found)


def _as_parsed(text: str) -> str:
    """Leave out what an address may have within it (RFC 5322, section 3.2.2)."""
    return _SPACED_DOT.sub(".", _COMMENT.sub(" ", text))


def _as_seen(text: str) -> str:
    normal = unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    normal = _HYPHENS.sub("-", normal)
    return "".join(c for c in _UNSEEN.sub("", normal) if unicodedata.category(c) != "Cf")


def _other_orders(text: str) -> Iterator[str]:
    """Give a text as read in lines from right to left, where its letters make such lines."""
    if any(unicodedata.bidirectional(c) in {"R", "AL"} for c in text):
        yield "".join(reversed(re.split(r"(\W)", text)))


def _with_parents(domain: str) -> Iterator[str]:
    labels = re.split(r"[.\u3002]", domain.strip(_SEPARATORS))[-_MAX_LABELS:]
    for start in range(len(labels)):
        try:
            yield to_a_labels(".".join(labels[start:]))
        except ValueError:
            continue


def _keep_domain_character(character: str) -> str:
    """Keep letters, marks and digits of any script; what else ends a domain becomes a space."""
    belongs = character in f"@{_SEPARATORS}" or unicodedata.category(character)[0] in "LMN"
    return character if belongs else " "
