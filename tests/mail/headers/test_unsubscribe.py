"""List-Unsubscribe: one argument, written as RFC 2369 and RFC 8058 want it."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.exceptions import InvalidHeader
from prefect_smtp_relay.mail.headers.unsubscribe import unsubscribe_headers
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.mail.mime.parse import read_message
from prefect_smtp_relay.mail.mime.render import render_mime
from tests.mail.strategies import ANY_TEXT

MakeMessage = Callable[..., Message]
Parse = Callable[[bytes], EmailMessage]

URL = "https://example.org/u?id=7"
ONE_CLICK = ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
TOKEN = "token-5f1e"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (URL, f"<{URL}>"),
        ("HTTPS://Example.org", "<https://Example.org>"),
        ([URL, "off@example.org"], f"<{URL}>, <mailto:off@example.org>"),
        (("mailto:off@example.org", URL), f"<{URL}>, <mailto:off@example.org>"),
        ("https://example.org/a,b?c=?d", "<https://example.org/a%2Cb?c=%3Fd>"),
    ],
)
def test_an_https_url_is_called_with_one_click(value: Any, written: str) -> None:
    """The URL is first, in angle brackets, and the field of RFC 8058 beside it."""
    assert unsubscribe_headers(value, ()) == (("List-Unsubscribe", written), ONE_CLICK)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("off@example.org", "<mailto:off@example.org>"),
        ("MAILTO:off@example.org?subject=stop,now", "<mailto:off@example.org?subject=stop%2Cnow>"),
        (["", " off@example.org "], "<mailto:off@example.org>"),
    ],
)
def test_an_address_alone_has_no_one_click(value: Any, written: str) -> None:
    """One click is for https only."""
    assert unsubscribe_headers(value, ()) == (("List-Unsubscribe", written),)


@pytest.mark.parametrize("value", [None, "", [], [""], ()])
def test_nothing_is_no_header(value: Any) -> None:
    """Without the argument the mail says nothing of unsubscribing."""
    assert unsubscribe_headers(value, ()) == ()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (f"http://example.org/{TOKEN}", "is an http URL. One click needs https"),
        (f"ftp://example.org/{TOKEN}", "is neither an https URL nor an address"),
        (f"https:///{TOKEN}", "is not a whole https URL"),
        (f"https:{TOKEN}", "is not a whole https URL"),
        (f"https://exa_mple..org/{TOKEN}", "is not a whole https URL"),
        (f"https://example.org:x/{TOKEN}", "is not a whole https URL"),
        (f"https://ann:{TOKEN}@example.org/", "contains credentials"),
        (f"https://example.org/{TOKEN} off@example.org", "Percent-encode"),
        (f"https://example.org/<{TOKEN}>", "Percent-encode"),
        (f"https://example.org/\u00fc{TOKEN}", "Percent-encode"),
        (f"https://example.org/{TOKEN}\r\nBcc: eve@example.org", "control characters"),
        (f"https://example.org/{TOKEN * 80}", "at most 800 characters"),
        ([URL, URL], "has two of one kind"),
        ("mailto:off@example.org?body=%0D%0ABcc:eve@example.org", "in one line"),
        ("mailto:nobody", "has no @"),
        ("mailto:", "has no @"),
        (7, "expected an https URL"),
        (b"https://example.org", "expected an https URL"),
        (iter([URL]), "expected an https URL"),
        ([7], "expected text"),
    ],
)
def test_what_cannot_be_used_is_refused(value: Any, told: str) -> None:
    """The error names the argument and the fix, and shows no URL."""
    with pytest.raises(InvalidHeader, match=r"^list_unsubscribe: ") as caught:
        unsubscribe_headers(value, ())
    assert told in str(caught.value)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("name", ["List-Unsubscribe", "list-unsubscribe-post"])
@pytest.mark.parametrize("value", [URL, "off@example.org"])
def test_the_argument_and_its_header_by_hand_contradict_each_other(
    make_message: MakeMessage, name: str, value: str
) -> None:
    """Both at once are refused; other List- fields may be there as well."""
    with pytest.raises(InvalidHeader, match=r"^list_unsubscribe: writes "):
        make_message(list_unsubscribe=value, headers={name: "<https://example.net>"})
    headers = make_message(list_unsubscribe=value, headers={"List-Id": "<a.b>"}).headers
    assert ("List-Id", "<a.b>") in headers


def test_long_urls_are_folded_and_come_back(
    make_message: MakeMessage, parse_strictly: Parse
) -> None:
    """No line is too long, no URL is an encoded word, and the outbox reads the same message."""
    value = [f"https://example.org/{'x' * 770}", f"mailto:off@example.org?subject={'y' * 700}"]
    message = make_message(list_unsubscribe=value)
    octets = bytes(render_mime(message))
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    written = parse_strictly(octets)["List-Unsubscribe"]
    assert re.findall(r"<([^<>]+)>", written) == value
    assert read_message(octets).headers == message.headers


@given(ANY_TEXT | st.builds("https://{}.example/{}".format, ANY_TEXT, ANY_TEXT))
def test_any_text_is_one_url_or_refused(text: str) -> None:
    """What is accepted is ASCII in one pair of angle brackets, and adds no other header."""
    try:
        draft = compose("a@b.org", "s", text="t", html="h", list_unsubscribe=text)
    except InvalidHeader:
        return
    written = [field for field in draft.headers if field[0].startswith("List-")]
    names = [name for name, _ in written]
    assert names in ([], ["List-Unsubscribe"], ["List-Unsubscribe", ONE_CLICK[0]])
    if names:
        assert re.fullmatch(r"<(https|mailto):[!-+\--;=?-~]+>", written[0][1])
