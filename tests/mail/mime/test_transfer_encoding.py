import quopri
import re
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.mail.attachments.attachment import CHUNK, Attachment
from prefect_smtp_relay.mail.mime.transfer_encoding import (
    base64_length,
    base64_lines,
    encode_attachment,
    encode_text,
    quoted_printable,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\r\n =.F\t"))


def decoded(encoding: str, data: bytes) -> str:
    """Decode with the standard library."""
    plain = {
        "7bit": lambda octets: octets,
        "quoted-printable": quopri.decodestring,
        "base64": b64decode,
    }[encoding](data)
    assert isinstance(plain, bytes)
    return plain.decode()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("", "7bit"),
        ("Hello.\n\tTabs.\r\n", "7bit"),
        ("x" * 990, "7bit"),
        ("x" * 991, "quoted-printable"),
        ("x" * 3000, "quoted-printable"),
        ("From ann", "quoted-printable"),
        ("a\nFrom ann", "quoted-printable"),
        ("a From ann", "7bit"),
        ("--=_boundary", "quoted-printable"),
        ("na\u00efve words in ASCII for the most part", "quoted-printable"),
        ("\u65e5\u672c\u8a9e", "base64"),
        ("a long enough line with one NUL \x00 in it", "quoted-printable"),
        ("a long enough line with an escape \x1b[31m in it", "quoted-printable"),
    ],
)
def test_the_most_readable_safe_encoding_is_chosen(text: str, encoding: str) -> None:
    """ASCII in short lines stays as it is, what is mostly ASCII stays readable."""
    assert encode_text(text)[0] == encoding


@given(TEXT)
def test_any_text_comes_back(text: str) -> None:
    """Every text comes back character for character, with CRLF for each kind of line end."""
    encoding, data = encode_text(text)
    assert decoded(encoding, data) == re.sub("\r\n|\r|\n", "\r\n", text)


@given(TEXT, st.integers(1, 200))
def test_encoded_lines_are_safe(text: str, times: int) -> None:
    """Lines are 7-bit, at most 998 octets, end in CRLF only, and never begin with From."""
    _, data = encode_text(text * times)
    assert data.isascii()
    assert b"\x00" not in data
    assert re.fullmatch(rb"(?:[^\r\n]|\r\n)*", data)
    for line in data.split(b"\r\n"):
        assert len(line) <= 998
        assert not line.startswith((b"From ", b"--=_"))


@given(st.text("From =\u00fc \t.\n", max_size=300))
def test_quoted_printable_lines_are_short(text: str) -> None:
    """A line has 76 characters at most and no blank at its end (RFC 2045, section 6.7)."""
    for line in quoted_printable(text.replace("\n", "\r\n").encode()).split(b"\r\n"):
        assert len(line) <= 76
        assert not line.endswith((b" ", b"\t"))
        assert not line.startswith(b"From ")


@pytest.mark.parametrize("length", range(60, 90))
def test_escaping_from_never_cuts_an_escape(length: int) -> None:
    """A line that the escape of its From made too long is cut between two characters."""
    for filling in ("x", "\u00fc", "=", "x\u00fc", " x"):
        data = ("From " + (filling * 90)[:length]).encode()
        encoded = quoted_printable(data)
        assert quopri.decodestring(encoded) == data
        assert max(map(len, encoded.split(b"\r\n"))) <= 76


@given(st.binary(max_size=500))
def test_the_length_of_base64_is_known_before(data: bytes) -> None:
    """What the lines decode to and how long they are is right for every length."""
    encoded = base64_lines(data)
    assert b64decode(encoded) == data
    assert len(encoded) == base64_length(len(data))
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_blocks_of_a_file_join_without_a_seam(size: int) -> None:
    """A file encoded block by block is the same as one encoded whole."""
    data = bytes(n % 251 for n in range(size))
    encoded = b"".join(encode_attachment(Attachment(data, "a.bin")))
    assert encoded == base64_lines(data)
    assert len(encoded) == base64_length(size)
