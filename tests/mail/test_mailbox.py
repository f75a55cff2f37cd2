import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.exceptions import InvalidMailbox
from prefect_smtp_relay.mail.mailbox import Mailbox

CONTROL_CHARACTERS = [chr(c) for c in (*range(32), *range(127, 160), 0x2028, 0x2029, 0xD800)]
ATOM = st.text("abcxyz019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=20)
NAME = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])).map(
    lambda name: " ".join(name.split())
)


@pytest.mark.parametrize(
    ("text", "local_part", "domain", "display_name"),
    [
        ("ann@example.org", "ann", "example.org", ""),
        (" ann@Example.ORG. ", "ann", "example.org", ""),
        ("<ann@example.org>", "ann", "example.org", ""),
        ("Ann <ann@example.org>", "ann", "example.org", "Ann"),
        ("Ann<ann@example.org>", "ann", "example.org", "Ann"),
        ('"Doe, Ann" <ann@example.org>', "ann", "example.org", "Doe, Ann"),
        ('"Ann \\"A\\" Doe" <ann@example.org>', "ann", "example.org", 'Ann "A" Doe'),
        ('"back\\\\slash" <ann@example.org>', "ann", "example.org", "back\\slash"),
        ('"a <b@c.d>" <ann@example.org>', "ann", "example.org", "a <b@c.d>"),
        ("Ann   Doe <ann@example.org>", "ann", "example.org", "Ann Doe"),
        (
            "J\u00fcrgen \u65e5\u672c <j@example.org>",
            "j",
            "example.org",
            "J\u00fcrgen \u65e5\u672c",
        ),
        ("ann+tag@example.org", "ann+tag", "example.org", ""),
        ('"a b"@example.org', '"a b"', "example.org", ""),
        ('"a@b"@example.org', '"a@b"', "example.org", ""),
        ('X <"a>b"@example.org>', '"a>b"', "example.org", "X"),
        ("ann@b\u00fccher.example", "ann", "xn--bcher-kva.example", ""),
        ("j\u00fcrgen@example.org", "j\u00fcrgen", "example.org", ""),
        ("ju\u0308rgen@example.org", "j\u00fcrgen", "example.org", ""),
        ("ann@[192.0.2.1]", "ann", "[192.0.2.1]", ""),
        ("a..b.@docomo.ne.jp", '"a..b."', "docomo.ne.jp", ""),
        ("Ann <.a@ezweb.ne.jp>", '".a"', "ezweb.ne.jp", "Ann"),
        ("<<ann@example.org>>", "ann", "example.org", ""),
        ("Ann <<ann@example.org>>", "ann", "example.org", "Ann"),
        ("Ann <mailto:ann@example.org>", "ann", "example.org", "Ann"),
        ("MAILTO:ann@example.org", "ann", "example.org", ""),
        ("\u00a0Ann\u00a0<\u200bann@example.org\u202f>\ufeff", "ann", "example.org", "Ann"),
        ("\u202aann@example.org\u202c", "ann", "example.org", ""),
    ],
)
def test_a_mailbox_is_read(text: str, local_part: str, domain: str, display_name: str) -> None:
    """A mailbox is read with or without a display name, and its domain becomes A-labels."""
    assert Mailbox.parse(text) == Mailbox(local_part, domain, display_name)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "ann", "@example.org", "ann@", "ann@ example.org", "ann @example.org", "<>"),
        *("a b@example.org", "a..b c@example.org", "a(b)@example.org", "a:b@example.org", "@"),
        *("ann@example..org", "ann@-example.org", "ann@exa mple.org", "a" * 65 + "@example.org"),
        *("\u00e9" * 33 + "@example.org", "Ann ann@example.org", "a@b.org c@d.org", '"a@b.org'),
        *("Ann <a@b.org> <c@d.org>", "Ann <a@b.org", "Ann <a@b.org>>", "a@b.org;c@d.org"),
        *("ann\u200b@example.org", "ann\u00a0@example.org", "ann\uff20example.org", '"a"b@c.org'),
        *("=?utf-8?q?x?=@example.org", '"=?utf-8?q?x?="@example.org', "a=?b?=@example.org"),
    ],
)
def test_what_is_no_mailbox_names_the_field(text: str) -> None:
    """A bad address is InvalidMailbox with the argument's name and the text as it was given."""
    with pytest.raises(InvalidMailbox) as caught:
        Mailbox.parse(text, "reply_to")
    assert str(caught.value).startswith(f"reply_to: {text!r} is not an e-mail address: ")
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        *("a@b.org c@d.org", "<a@b.org> <c@d.org>", "Ann <a@b.org> Bob <c@d.org>"),
        *("a@b.org and c@d.org", "a@b.org|c@d.org", "a@b.org\uff1bc@d.org"),
    ],
)
def test_two_addresses_without_a_comma_say_so(text: str) -> None:
    """The error says what goes between them."""
    with pytest.raises(InvalidMailbox, match=r"more than one @\. Write a comma between"):
        Mailbox.parse_list(text)


def test_an_unquoted_comma_says_how_to_write_it() -> None:
    """A display name with a bare comma is refused with the fix."""
    with pytest.raises(InvalidMailbox, match="a display name that contains a comma needs quotes"):
        Mailbox.parse_list("Doe, Ann <ann@example.org>")


@pytest.mark.parametrize("value", [None, 1, b"ann@example.org", ["ann@example.org"]])
def test_another_type_is_refused(value: object) -> None:
    """What is neither text nor a mailbox is InvalidMailbox, not a TypeError."""
    with pytest.raises(InvalidMailbox, match="from_: expected text, got"):
        Mailbox.parse(value, "from_")  # type: ignore[arg-type] # the wrong type is the point


@pytest.mark.parametrize("character", CONTROL_CHARACTERS)
@pytest.mark.parametrize(
    "form", ["a{}b@example.org", "ann@exa{}mple.org", "A{}B <ann@example.org>", "ann@example.org{}"]
)
def test_control_characters_are_refused_everywhere(character: str, form: str) -> None:
    """No control character passes in any place, at the end of the text neither."""
    with pytest.raises(InvalidMailbox):
        Mailbox.parse(form.format(character))


@pytest.mark.parametrize(
    "parts",
    [
        ("ann", "example.org", "Ann\r\nBcc: eve@example.org"),
        ("ann\r\nRCPT TO:<eve", "example.org"),
        ("ann", "example.org>\r\nDATA"),
        ("ann> SIZE=1 <", "example.org"),
        ("", "example.org"),
        ("ann", ""),
        ("ann", " example.org"),
    ],
)
def test_a_mailbox_that_was_not_parsed_is_checked_too(parts: tuple[str, ...]) -> None:
    """Building a mailbox from its parts is no way around the checks."""
    with pytest.raises(InvalidMailbox):
        Mailbox(*parts)


def test_a_mailbox_built_from_parts_is_normalised() -> None:
    """Parts in any spelling give the same mailbox as the parsed text."""
    built = Mailbox("ju\u0308rgen", "B\u00dcCHER.example.", " A  B ")
    assert built == Mailbox.parse("A B <j\u00fcrgen@b\u00fccher.example>")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, []),
        ("", []),
        (" , ,", []),
        ([], []),
        ("a@x.org", ["a@x.org"]),
        ("a@x.org, B <b@x.org>,", ["a@x.org", "b@x.org"]),
        ('"Doe, A" <a@x.org>,"b,c"@x.org', ["a@x.org", '"b,c"@x.org']),
        ('A <"a,b"@x.org>, c@x.org', ['"a,b"@x.org', "c@x.org"]),
        (["a@x.org", "b@x.org, c@x.org"], ["a@x.org", "b@x.org", "c@x.org"]),
        (("a@x.org", Mailbox("b", "x.org")), ["a@x.org", "b@x.org"]),
        (Mailbox("b", "x.org"), ["b@x.org"]),
        ("a@x.org, A <a@X.org.>, b@x.org, a@x.org", ["a@x.org", "b@x.org"]),
        ("a@x.org, A@x.org", ["a@x.org"]),
        ("a@x.org; b@x.org;", ["a@x.org", "b@x.org"]),
        ("a@x.org;b@x.org,c@x.org", ["a@x.org", "b@x.org", "c@x.org"]),
        ("\n  a@x.org\r\n\tB <b@x.org>\n\n", ["a@x.org", "b@x.org"]),
        ("a@x.org,\u00a0b@x.org", ["a@x.org", "b@x.org"]),
        ("<a@x.org>; <b@x.org>", ["a@x.org", "b@x.org"]),
        ("Doe, A <a@x.org>; b@x.org", ["a@x.org", "b@x.org"]),
        ("Doe, A <a@x.org>\nDoe, B <b@x.org>", ["a@x.org", "b@x.org"]),
        ('"a;b"@x.org; "D; B" <b@x.org>', ['"a;b"@x.org', "b@x.org"]),
    ],
)
def test_lists_are_read_in_order_without_duplicates(value: object, expected: list[str]) -> None:
    """Text with commas and lists give each address once, in their order."""
    mailboxes = Mailbox.parse_list(value)  # type: ignore[arg-type] # object covers every case
    assert [mailbox.address for mailbox in mailboxes] == expected


@pytest.mark.parametrize("value", [1, [None], [["a@x.org"]], b"a@x.org", ["a@x.org", "b"]])
def test_a_bad_list_names_the_field(value: object) -> None:
    """A list of anything else is InvalidMailbox with the argument's name."""
    with pytest.raises(InvalidMailbox, match=r"^cc: "):
        Mailbox.parse_list(value, "cc")  # type: ignore[arg-type] # the wrong type is the point


@pytest.mark.parametrize(
    "value",
    [
        *("a@x.org b@x.org", "a@x.org\nbob", "bob; a@x.org", "bob, A <a@x.org>", "Team: a@x.org;"),
        *(
            "a@x.org\x0bb@x.org",
            "a@x.org\u2028b@x.org",
            "A\nB <a@x.org>",
            "a@x.org\r\nBcc: b@x.org",
        ),
        *("bob, a@x.org; b@x.org", "undisclosed-recipients:;"),
    ],
)
def test_a_list_that_can_be_read_in_two_ways_is_refused(value: str) -> None:
    """Nobody is left out, and nobody is added, where the text does not say who is meant."""
    with pytest.raises(InvalidMailbox, match=r"^to: .*\."):
        Mailbox.parse_list(value)


def test_a_name_with_a_comma_stays_whole() -> None:
    """In lists with semicolons, as Outlook writes them, a comma belongs to the name."""
    first, second = Mailbox.parse_list("Doe, Ann <ann@x.org>; Roe, J. <j@x.org>;")
    assert (first.display_name, second.display_name) == ("Doe, Ann", "Roe, J.")


def test_the_first_display_name_of_an_address_stays() -> None:
    """Of two mailboxes with one address the first is kept."""
    assert Mailbox.parse_list("A <a@x.org>, B <a@x.org>") == (Mailbox("a", "x.org", "A"),)


def test_only_a_local_part_beyond_ascii_needs_smtputf8() -> None:
    """An internationalised domain travels as A-labels; the local part cannot."""
    assert not Mailbox.parse("\u00fc <a@b\u00fccher.example>").needs_smtputf8
    assert Mailbox.parse("\u00fc@example.org").needs_smtputf8


@given(ATOM, NAME)
def test_a_quoted_display_name_comes_back(local_part: str, name: str) -> None:
    """Any display name without control characters can be written in quotes."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    mailbox = Mailbox.parse(f'"{quoted}" <{local_part}@example.org>')
    assert mailbox == Mailbox(local_part, "example.org", name)
    assert Mailbox.parse(str(mailbox)) == mailbox
    assert Mailbox.parse_list([f'"{quoted}" <{local_part}@example.org>']) == (mailbox,)


@given(st.text(st.characters() | st.sampled_from('@.,<>"\\')))
def test_any_text_is_mailboxes_or_invalid_mailbox(text: str) -> None:
    """No text raises anything else, and what is read can be read again."""
    try:
        mailboxes = Mailbox.parse_list(text)
    except InvalidMailbox:
        return
    for mailbox in mailboxes:
        assert Mailbox.parse(mailbox.address).address == mailbox.address


def test_hostile_lists_are_read_in_bounded_time() -> None:
    """A hundred thousand brackets, quotes or commas end, as mailboxes or as InvalidMailbox."""
    for piece in ('"', "<", '<"', ",", '"\\', "a@b.org,", "<>", "@", '<"\\', " ", "a "):
        try:
            Mailbox.parse_list(piece * (100_000 // len(piece)))
        except InvalidMailbox as error:
            assert error.args  # noqa: PT017 - that it ends is the point, not how


def test_a_mailbox_survives_a_pickle() -> None:
    """A mailbox comes back from another process as it was."""
    mailbox = Mailbox("ann", "example.org", "Ann")
    assert pickle.loads(pickle.dumps(mailbox)) == mailbox  # noqa: S301 - our own octets


@pytest.mark.parametrize(
    "value",
    [(text for text in ["a@x.org"]), b"a@x.org", {"a@x.org": "Ann"}, 5],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_read_twice_or_is_no_list_is_refused(value: Any) -> None:
    """A retry reads the recipients again, so they come as text or as a list."""
    with pytest.raises(InvalidMailbox, match="cc: "):
        Mailbox.parse_list(value, "cc")
