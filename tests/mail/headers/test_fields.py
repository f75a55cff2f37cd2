from collections.abc import Callable
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.exceptions import InvalidHeader
from prefect_smtp_relay.mail.headers.fields import (
    RESERVED,
    check_field,
    check_text,
    mailboxes,
    unstructured,
)
from prefect_smtp_relay.mail.mailbox import Mailbox

Parse = Callable[[bytes], EmailMessage]

LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200)
REFUSED = [chr(c) for c in (*range(9), *range(10, 32), *range(127, 160), 0x2028, 0x2029, 0xD800)]


def lines_of(field: str) -> list[str]:
    """Split a field where a parser would, and at nothing else."""
    return field.split("\r\n")


def unfolded(field: str) -> str:
    """Return a field's value as RFC 5322, section 2.2.3, and RFC 2047 define it."""
    value = field.replace("\r\n", "").partition(": ")[2]
    return str(make_header(decode_header(value)))


@pytest.mark.parametrize("character", REFUSED)
def test_control_characters_are_refused_in_text(character: str) -> None:
    """Every control character but the tab, and every line end of Unicode, is refused."""
    with pytest.raises(InvalidHeader, match=r"^subject: contains the character .* at position 1\."):
        check_text(f"a{character}b", "subject")


@pytest.mark.parametrize("character", [*REFUSED, " ", ":", "\u00fc", "\t", ""])
def test_a_header_name_is_printable_ascii_without_colon(character: str) -> None:
    """A name that could end early, or start a second field, is refused."""
    name = f"X-A{character}B" if character else ""
    with pytest.raises(InvalidHeader, match="is not a header name"):
        check_field(name, "v")


def test_a_header_name_fits_its_line() -> None:
    """A name may have 76 characters and no more, so that value and name share a line of 998."""
    assert check_field("X" * 76, "v") == ("X" * 76, "v")
    with pytest.raises(InvalidHeader):
        check_field("X" * 77, "v")


@pytest.mark.parametrize("character", REFUSED)
def test_control_characters_are_refused_in_free_headers(character: str) -> None:
    """The error of a free header names it."""
    with pytest.raises(InvalidHeader, match=r"^headers\['X-A'\]: "):
        check_field("X-A", f"a{character}b: c")


@pytest.mark.parametrize(
    "name", [*sorted(RESERVED), "SUBJECT", "Content-Type", "resent-to", "ARC-Seal"]
)
def test_headers_of_the_message_itself_are_reserved(name: str) -> None:
    """What the message sets cannot be set a second time, in any case."""
    with pytest.raises(InvalidHeader, match="is set by the message itself"):
        check_field(name, "v")


@pytest.mark.parametrize(("name", "value"), [("X-A", 1), (1, "v"), (None, "v"), ("X-A", b"v")])
def test_another_type_is_refused(name: str, value: str) -> None:
    """Neither a name nor a value of another type passes."""
    with pytest.raises(InvalidHeader):
        check_field(name, value)


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "plain", " lead", "trail ", "a  b", "a\tb", "\u00fc", '(a) "b" <c>', "a: b"),
        *("=?utf-8?q?x?=", "=?", "a=?b", "?= =?", "=?utf-8?b?eA==?= =?utf-8?b?eA==?=", "a_b=20"),
        *("x" * 990, "x" * 5000, "word " * 400 + "end", "\u00fc" * 500, "\u65e5\u672c\u8a9e " * 99),
        *("\U0001f600" * 60, "e\u0301" * 60, "a\u00a0b", "\u200b", "a " + "x" * 899 + " b"),
    ],
)
def test_an_unstructured_field_comes_back(parse_strictly: Parse, value: str) -> None:
    """Any subject comes back as it was, in lines of at most 998 octets of ASCII."""
    field = unstructured("Subject", value)
    assert unfolded(field) == value
    assert str(parse_strictly(field.encode("ascii") + b"\r\n\r\n")["Subject"]) == value
    assert max(map(len, lines_of(field))) <= 998
    assert all(line.strip() for line in lines_of(field))


@given(LINE, st.sampled_from(["Subject", "X" * 76]))
def test_any_text_comes_back_from_an_unstructured_field(value: str, name: str) -> None:
    """No text of one line is changed by encoding and folding."""
    field = unstructured(name, value)
    assert field.isascii()
    assert unfolded(field) == value
    assert max(map(len, lines_of(field))) <= 998
    assert all(line.strip() for line in lines_of(field))


@given(LINE)
def test_encoded_words_have_their_limits(value: str) -> None:
    """An encoded word has 75 characters at most, its line 76 (RFC 2047, section 2)."""
    for line in lines_of(unstructured("Subject", f"\u00fc{value}")):
        assert len(line) <= 76
        assert all(len(word) <= 75 for word in line.split(" "))


@pytest.mark.parametrize(
    "display_name",
    [
        *("Ann", "Doe, Ann", 'Ann "A" Doe', "back\\slash", "Ann (ops)", "J. Doe", "a@b.c", "x;y:z"),
        *("a <b@c.d>", "=?utf-8?q?x?=", "\u00fc, x", '\u00fc"', "\u65e5 \u672c", "group: a, b;"),
        *("[x]", "O'Hara", "A\u00a0B", "(", ")", '"', "\\", "x" * 60, ".", "\u200bx"),
    ],
)
def test_a_display_name_comes_back(parse_strictly: Parse, display_name: str) -> None:
    """A display name with special characters is one name of one mailbox."""
    values = (Mailbox("ann", "example.org", display_name), Mailbox("bob", "example.org"))
    header = parse_strictly(mailboxes("To", values).encode("ascii") + b"\r\n\r\n")["To"]
    assert [address.addr_spec for address in header.addresses] == [v.address for v in values]
    assert header.addresses[0].display_name == display_name
    assert not any(group.display_name for group in header.groups)


@given(
    st.lists(
        st.builds(
            Mailbox, st.sampled_from(["a", "b" * 64, '"x, y"']), st.just("example.org"), LINE
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_mailboxes_come_back(values: list[Mailbox]) -> None:
    """Any list of mailboxes is read as the same addresses, folded into short lines of ASCII."""
    field = mailboxes("Reply-To", tuple(values))
    assert field.isascii()
    assert max(map(len, lines_of(field))) <= 90
    header = message_from_bytes(field.encode() + b"\r\n\r\n", policy=default)["Reply-To"]
    assert [address.addr_spec for address in header.addresses] == [v.address for v in values]
    # The standard library's parser sets a blank between two encoded words of one name.
    names = [address.display_name.replace(" ", "") for address in header.addresses]
    assert names == [value.display_name.replace(" ", "") for value in values]


@pytest.mark.parametrize(
    "name", ["Night shift " * 20 + "of operations", "Doe, Ann (on call) " * 20, "x" * 60 + " y"]
)
def test_a_long_ascii_name_is_folded_at_its_spaces(parse_strictly: Parse, name: str) -> None:
    """A name longer than a line stays readable as it is: no encoded words are needed."""
    field = mailboxes("To", (Mailbox("ann", "example.org", name),))
    assert "=?" not in field
    assert max(map(len, lines_of(field))) <= 78
    header = parse_strictly(field.encode("ascii") + b"\r\n\r\n")["To"]
    assert header.addresses[0].display_name == name.strip()


def test_a_long_display_name_is_cut_into_encoded_words() -> None:
    """Between encoded words next to each other no blank is read (RFC 2047, section 6.2)."""
    name = "J\u00fcrgen \u65e5\u672c " * 20
    field = mailboxes("To", (Mailbox("j", "example.org", name),))
    assert unfolded(field) == f"{name.strip()} <j@example.org>"
    assert max(map(len, lines_of(field))) <= 76


def test_many_mailboxes_are_folded() -> None:
    """A hundred recipients are a hundred mailboxes in lines of a readable length."""
    values = tuple(Mailbox(f"user{n}", "example.org", f"User {n}") for n in range(100))
    field = mailboxes("To", values)
    assert max(map(len, lines_of(field))) <= 78
    header = message_from_bytes(field.encode() + b"\r\n\r\n", policy=default)["To"]
    assert len(header.addresses) == 100
