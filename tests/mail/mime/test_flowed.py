"""``format=flowed`` in the message: stuffed on the wire, plain everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.flowed import stuff, unstuff
from prefect_smtp_relay.mail.mime.parse import read_message
from prefect_smtp_relay.mail.mime.render import render_mime

TEXT = "A paragraph that \nflows on.\n\n    code\n\n> From a quote\nFrom the text\n\n-- \nA footer"
ON_THE_WIRE = (
    "A paragraph that \nflows on.\n\n     code\n\n> From a quote\n From the text\n\n-- \nA footer"
)


def _plain_part(octets: bytes, parse: Callable[[bytes], EmailMessage]) -> Any:
    part = parse(octets).get_body(("plain",))
    assert part is not None
    return part


@pytest.mark.parametrize("letters", ["", " Größe"])
def test_the_part_says_that_its_lines_flow(
    make_message: Callable[..., Message],
    parse_strictly: Callable[[bytes], EmailMessage],
    letters: str,
) -> None:
    """The parameter stands beside the charset, and lines that begin with a blank are stuffed."""
    octets = bytes(render_mime(make_message(text=TEXT + letters, flowed=True)))
    part = _plain_part(octets, parse_strictly)
    assert part["Content-Type"].params["format"] == "flowed"
    assert part["Content-Type"].params["charset"] == ("utf-8" if letters else "us-ascii")
    assert part.get_content().replace("\r\n", "\n").rstrip("\n") == ON_THE_WIRE + letters


def test_other_text_is_left_alone(
    make_message: Callable[..., Message], parse_strictly: Callable[[bytes], EmailMessage]
) -> None:
    """Text of the caller has no such parameter, and no blanks put in."""
    part = _plain_part(bytes(render_mime(make_message(text=TEXT))), parse_strictly)
    assert "format" not in part["Content-Type"].params
    assert part.get_content().replace("\r\n", "\n").rstrip("\n") == TEXT


def test_it_is_read_back(make_message: Callable[..., Message]) -> None:
    """The outbox keeps that a text flows, and gives the text without the blanks put in."""
    message = make_message(text=TEXT, flowed=True)
    read = read_message(bytes(render_mime(message)))
    assert (read.text, read.flowed) == (TEXT, True)
    assert bytes(render_mime(read)) == bytes(render_mime(message))


@given(st.text(st.sampled_from(" >\r\nFrom-x") | st.characters(exclude_categories=["Cs"])))
def test_any_text_is_unstuffed_to_what_it_was(text: str) -> None:
    """Nothing is lost or added but the kind of line ends."""
    assert unstuff(stuff(text)) == text.replace("\r\n", "\n").replace("\r", "\n")


@given(st.lists(st.text("> Fromx-", max_size=8)).map("\n".join))
def test_no_stuffed_line_can_be_mistaken(text: str) -> None:
    """No line begins with "From ", and each blank at a start hides what was there."""
    for line in stuff(text).split("\n"):
        assert not line.startswith("From ")
