from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.transports.sendgrid.redaction import redact

KEY = "SG.aB3-dE_fG/hI+jK.q7Zx0Vw9yT5rN2mL8pQ4"


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        KEY[:20],
        KEY[9:],
        KEY[5:18],
        KEY + KEY,
        quote(KEY, safe=""),
        "".join(f"%{ord(character):02x}" for character in KEY),
        "".join(f"\\u{ord(character):04X}" for character in KEY),
        KEY.replace("/", "\\/"),
        "".join(f"&#{ord(character)};" for character in KEY),
        "".join(f"&#x{ord(character):x};" for character in KEY),
    ],
)
def test_the_key_is_hidden_however_it_is_written(written: str) -> None:
    """Whole, cut at either end, twice, or escaped for a URL, for JSON or for HTML."""
    assert redact(f"The key {written} is bad", SecretStr(KEY)) == "The key *** is bad"


def test_no_long_piece_is_left_wherever_it_is_cut() -> None:
    """Of a key that is cut at any place, at most five characters show."""
    for start in range(len(KEY)):
        for end in range(start + 6, len(KEY) + 1):
            assert redact(f"<{KEY[start:end]}>", SecretStr(KEY)) == "<***>"


@pytest.mark.parametrize("key", [KEY, "key", "50%41%", "&#65;\\/"])
def test_what_is_not_the_key_stays(key: str) -> None:
    """Other text stays as it is written, escapes included, whatever the key holds."""
    text = 'Caf\u00e9 100% \\"quoted\\" \\u0041 %zz &amp; &#9999; SG.aB'
    assert redact(text, SecretStr(key)) == text


@pytest.mark.parametrize("key", ["50%41%", "a\\/b&#65;c", "x"])
def test_a_key_that_looks_escaped_is_hidden_as_it_is(key: str) -> None:
    """The key's shape is not known: it may hold what an escape is made of."""
    assert redact(f"({key})", SecretStr(key)) == "(***)"


def test_another_encoding_of_the_key_is_no_key() -> None:
    """Base64 of it is not looked for: SendGrid never sees the key as basic authentication."""
    encoded = base64.b64encode(KEY.encode()).decode()
    assert redact(encoded, SecretStr(KEY)) == encoded
