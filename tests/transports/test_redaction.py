"""Secrets that somebody else's text repeats are masked, however they are written."""

from __future__ import annotations

import base64
from urllib.parse import quote, quote_plus

import pytest

from prefect_smtp_relay.transports.redaction import Redactor, visible

KEY = "SG.aB3-dE_fG/hI+jK.q7Zx0Vw9yT5rN2mL8pQ4"


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        KEY[:20],
        KEY[9:],
        KEY[5:18],
        KEY + KEY,
        KEY.upper(),
        quote(KEY, safe=""),
        "".join(f"%{ord(character):02x}" for character in KEY),
        "".join(f"\\u{ord(character):04X}" for character in KEY),
        KEY.replace("/", "\\/"),
        "".join(f"&#{ord(character)};" for character in KEY),
        "".join(f"&#x{ord(character):x};" for character in KEY),
    ],
    ids=range(12),
)
def test_a_key_is_hidden_however_it_is_written(written: str) -> None:
    """Whole, cut at either end, twice, in capitals, or escaped for a URL, for JSON or for HTML."""
    assert Redactor([KEY])(f"The key {written} is bad") == "The key *** is bad"


def test_no_long_piece_is_left_wherever_it_is_cut() -> None:
    """Of a key that is cut at any place, at most five characters show."""
    redact = Redactor([KEY])
    for start in range(len(KEY)):
        for end in range(start + 6, len(KEY) + 1):
            assert redact(f"<{KEY[start:end]}>") == "<***>"


@pytest.mark.parametrize("key", [KEY, "key", "50%41%", "&#65;\\/"], ids=range(4))
def test_what_is_not_the_key_stays(key: str) -> None:
    """Other text stays as it is written, escapes included, whatever the key contains."""
    text = 'Caf\u00e9 100% \\"quoted\\" \\u0041 %zz &amp; &#9999; SG.aB'
    assert Redactor([key])(text) == text


@pytest.mark.parametrize("key", ["50%41%", "a\\/b&#65;c", "x"], ids=range(3))
def test_a_key_that_looks_escaped_is_hidden_as_it_is(key: str) -> None:
    """The key's shape is not known: it may contain what an escape is made of."""
    assert Redactor([key])(f"({key})") == "(***)"


def test_another_encoding_of_the_key_is_not_the_key() -> None:
    """Base64 of it is not looked for; a login that writes it so hides that text too."""
    encoded = base64.b64encode(KEY.encode()).decode()
    assert Redactor([KEY])(encoded) == encoded


@pytest.mark.parametrize("spell", [str, quote, quote_plus, str.upper])
def test_a_password_with_a_space(spell: object) -> None:
    """It is one secret, however a form or a URL spells it."""
    assert callable(spell)
    password = "my pass & word, as long as a key"
    assert Redactor([password])(f"<{spell(password)}>") == "<***>"


def test_the_words_of_a_password_stay() -> None:
    """Only a key is looked for in pieces: a password is made of words that others use too."""
    assert Redactor(["wrong-password"])("the password is wrong") == "the password is wrong"
    assert Redactor(["correct horse battery staple"])("is incorrect") == "is incorrect"
    assert Redactor(["a-canary/client-secret"])("invalid_client") == "invalid_client"


@pytest.mark.parametrize(
    ("password", "text", "shown"),
    [
        ("p", "AUTH p is not supported", "AUTH *** is not supported"),
        ("is", "this is refused", "this *** refused"),
        ("used", "used: refused", "***: refused"),
        ("s3cret!", "xs3cret!x", "x***x"),
    ],
)
def test_a_short_password_is_a_word_of_its_own(password: str, text: str, shown: str) -> None:
    """A password of one letter does not black out that letter in the server's words."""
    assert Redactor([password])(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<ann@example.org>: unknown", "<***>: unknown"),
        ("user ANN@EXAMPLE.ORG.", "user ***."),
        ("mailbox ann is full", "mailbox *** is full"),
        ("the manner of joanne@example.org", "the manner of joanne@example.org"),
        ("mx.example.org", "mx.example.org"),
    ],
)
def test_addresses_are_hidden_with_their_local_parts(text: str, shown: str) -> None:
    """A reply about a Bcc recipient names neither the address nor the mailbox."""
    assert Redactor(addresses=["ann@example.org"])(text) == shown


@pytest.mark.parametrize("secrets", [[], [""], ["other"]])
def test_nothing_to_hide(secrets: list[str]) -> None:
    """Without secrets, or without one in it, a text stays as it is."""
    assert Redactor(secrets)("a \\u0041 text & 100%") == "a \\u0041 text & 100%"
    assert not Redactor(secrets).hides("a text")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("250 ok\r\n  queued\u00a0as\t7 ", "250 ok queued as 7"),
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("a\x85b\u2028c\u2029d", r"a\x85b\u2028c\u2029d"),
        ("\u202eflesruoy", r"\u202eflesruoy"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("half \ud83d", r"half \ud83d"),
        ("Käse für 3 € 🎉", "Käse für 3 € 🎉"),
    ],
)
def test_what_does_not_show_is_an_escape(text: str, shown: str) -> None:
    """One printable line for a log or a terminal, whatever somebody else wrote."""
    assert visible(text) == shown
    assert visible(text).isprintable()
