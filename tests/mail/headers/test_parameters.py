"""File names, in a form that old programs read and in the standard's own."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import compat32, default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.mail.headers.parameters import content_disposition, content_type

Parse = Callable[[bytes], EmailMessage]

LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200)
LONG_NAME = "monthly-revenue-report-for-the-finance-department-" * 4 + "final.xlsx"


def lines_of(field: str) -> list[str]:
    """Split a field where a parser would, and at nothing else."""
    return field.split("\r\n")


def legacy_name(field: str) -> str:
    """Read the name as a program without RFC 2231 does."""
    message = message_from_bytes(field.encode() + b"\r\n\r\n", policy=compat32)
    name = message.get_param("name")
    assert isinstance(name, str)
    return str(make_header(decode_header(name.replace("\r\n", ""))))


@pytest.mark.parametrize(
    "name",
    [
        *("a.txt", "a b.txt", 'a"b.txt', "a\\b.txt", "a;b.txt", "a'b.txt", "a%20b.txt", "a*b.txt"),
        *(
            "\u00fc.txt",
            "\u65e5\u672c.pdf",
            "\U0001f600" * 50,
            "x" * 500,
            "a  b",
            "=?utf-8?q?x?=.txt",
        ),
        *("utf-8''x", "a=b", "a,b", "(a)", "<a>", "a/b", "e\u0301.txt", "\u202egnp.exe", "."),
    ],
)
def test_a_file_name_comes_back(parse_strictly: Parse, name: str) -> None:
    """Any file name is read as it was, by the rules of RFC 2231."""
    field = content_disposition("attachment", name)
    assert max(map(len, lines_of(field))) <= (998 if f'"{name}"' in field else 78)
    message = parse_strictly(field.encode("ascii") + b"\r\n\r\n")
    assert message["Content-Disposition"].params["filename"] == name


@given(LINE.filter(lambda name: bool(name.strip())).map(str.strip))
def test_any_file_name_comes_back(name: str) -> None:
    """Any text without control characters can be a file name."""
    field = content_disposition("attachment", name)
    assert field.isascii()
    header = message_from_bytes(field.encode() + b"\r\n\r\n", policy=default)
    assert header["Content-Disposition"].params["filename"] == name
    assert not header["Content-Disposition"].defects


@pytest.mark.parametrize("name", [LONG_NAME, "a b.txt", "x" * 200 + ".pdf"])
def test_an_ascii_name_is_one_quoted_string(name: str) -> None:
    """A long plain name is not cut into pieces that many programs cannot join."""
    assert f' name="{name}"' in content_type("text/plain", name)
    assert f' filename="{name}"' in content_disposition("attachment", name)


@pytest.mark.parametrize(
    "name", ["\u00dcbersicht M\u00e4rz 2026.pdf", "\u65e5\u672c" * 30, '\u00fc"\\.txt']
)
def test_other_names_have_a_legacy_form(name: str) -> None:
    """Old Outlooks read encoded words in Content-Type; the others read RFC 2231."""
    field = content_type("application/pdf", name)
    assert legacy_name(field) == name
    assert max(map(len, lines_of(field))) <= 78
    assert "filename*" in content_disposition("attachment", name)


@given(LINE.filter(lambda name: bool(name.strip()) and not name.isascii()))
def test_any_legacy_name_comes_back(name: str) -> None:
    """Encoded words in quotes bring any name through."""
    field = content_type("a/b", name)
    assert field.isascii()
    assert legacy_name(field) == name
