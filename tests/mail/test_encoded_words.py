"""Encoded words are decoded once; what only looks like one stays as it is."""

from __future__ import annotations

from email.header import Header
from email.utils import formataddr

import pytest
from hypothesis import given

from prefect_smtp_relay.mail.encoded_words import decode_words
from prefect_smtp_relay.mail.mailbox import Mailbox
from tests.mail.strategies import ANY_TEXT, LINE


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?J=C3=B6rg?=", "J\u00f6rg"),
        ("=?UTF-8?B?SsO2cmc=?=", "J\u00f6rg"),
        ("=?utf-8?b?SsO2cmc?=", "J\u00f6rg"),
        ("=?iso-8859-1?Q?J=F6rg?=", "J\u00f6rg"),
        ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "\u65e5\u672c"),
        ("=?utf-8*en?q?a_b?=", "a b"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?J=C3?= =?utf-8?q?=B6rg?=", "J\u00f6rg"),
        ("=?utf-8?q?J=C3=B6rg?= M\u00fcller", "J\u00f6rg M\u00fcller"),
        ("=?utf-8?q?Who??=", "Who?"),
        ("=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=", "=?utf-8?q?x?="),
    ],
)
def test_what_readers_decode(text: str, decoded: str) -> None:
    """Any charset, padding or not, and neighbours as one text."""
    assert decode_words(text) == decoded


@pytest.mark.parametrize(
    "text",
    [
        *(
            "=?x-unknown?q?r?=",
            "=?utf-8?q?=ff?=",
            "=?utf-8?b?a?=",
            "=?hex?q?41?=",
            "=?undefined?q?b?=",
        ),
        *(
            "=?utf-8?q?\u00e9?=",
            "=?utf-8?x?a?=",
            "=?utf-8?q?a",
            "=?",
            "?=",
            "=?a\x00?q?b?=",
            "a=?b?c",
        ),
    ],
)
def test_what_only_looks_like_one(text: str) -> None:
    """An unknown charset or a broken encoding is text."""
    assert decode_words(text) == text


@given(ANY_TEXT)
def test_any_text_can_be_read(text: str) -> None:
    """Nothing is raised, whatever is between the question marks."""
    for form in (
        "{}",
        "=?utf-8?q?{}?=",
        "=?utf-16?b?{}?=",
        "=?{}?q?x?=",
        "=?utf-7?q?{}?= e'\u00e9",
    ):
        assert isinstance(decode_words(form.format(text)), str)


@given(LINE)
def test_what_the_standard_library_encodes_comes_back(text: str) -> None:
    """Its encoded words are read as what was written."""
    assert decode_words(Header(text, "utf-8").encode(linesep="")) == text or "=?" in text


@pytest.mark.parametrize(
    "name", ["J\u00f6rg M\u00fcller", "Zo\u00eb, Ann", "\u65e5\u672c", "Ann, Doe"]
)
def test_names_as_the_standard_library_writes_them(name: str) -> None:
    """``formataddr`` encodes a name; it is shown, not encoded once more."""
    for charset in ("utf-8", "utf-16"):
        (mailbox,) = Mailbox.parse_list(formataddr((name, "j@example.org"), charset))
        assert mailbox == Mailbox("j", "example.org", name)
    assert Mailbox.parse('"=?utf-8?q?J=C3=B6rg?=" <j@example.org>').display_name == "J\u00f6rg"


@pytest.mark.parametrize(
    "word", ["=?utf-8?q?a=0D=0AX:_y?=", "=?utf-8?b?AA==?=", "=?utf-7?q?+2AA-?="]
)
def test_a_hidden_control_character_stays_hidden(word: str) -> None:
    """A line end, NUL or half a character does not come in encoded, and is no reason to refuse."""
    assert Mailbox.parse(f"{word} <j@example.org>").display_name == word
