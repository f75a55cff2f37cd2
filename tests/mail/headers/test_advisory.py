"""Importance, as headers; threads have a file of their own."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import InvalidHeader
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.render import render_mime

MakeMessage = Callable[..., Message]
Parse = Callable[[bytes], EmailMessage]

NAMES = ("Importance", "Priority", "X-Priority")


@pytest.mark.parametrize(
    ("importance", "expected"),
    [
        ("high", ["high", "urgent", "1"]),
        ("normal", [None, None, None]),
        ("low", ["low", "non-urgent", "5"]),
    ],
)
def test_the_importance_is_written_for_every_program(
    make_message: MakeMessage, parse_strictly: Parse, importance: str, expected: list[str | None]
) -> None:
    """The words of RFC 2156 and X-Priority say the same; a normal mail says nothing."""
    mail = parse_strictly(bytes(render_mime(make_message(importance=importance))))
    assert [mail[name] for name in NAMES] == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, ["auto-generated", "OOF, AutoReply"]),
        ({"Auto-Submitted": "no"}, ["no", None]),
        ({"auto-submitted": ""}, [None, None]),
        ({"Auto-Submitted": None}, [None, None]),
        ({"AUTO-SUBMITTED": "auto-replied"}, ["auto-replied", "OOF, AutoReply"]),
        ({"X-Auto-Response-Suppress": "All"}, ["auto-generated", "All"]),
        ({"X-Auto-Response-Suppress": ""}, ["auto-generated", None]),
        ({"X-Other": None}, ["auto-generated", "OOF, AutoReply"]),
    ],
    ids=str,
)
def test_what_says_that_a_program_wrote_it_can_be_changed_or_left_out(
    make_message: MakeMessage,
    parse_strictly: Parse,
    headers: dict[str, Any],
    expected: list[str | None],
) -> None:
    """Some ticket systems drop such mail, and Exchange answers it unless it is told not to."""
    mail = parse_strictly(bytes(render_mime(make_message(headers=headers))))
    assert [mail[name] for name in ("Auto-Submitted", "X-Auto-Response-Suppress")] == expected
    assert "X-Other" not in mail


@pytest.mark.parametrize("importance", [None, ""])
def test_an_empty_importance_is_normal(make_message: MakeMessage, importance: Any) -> None:
    """None is taken where empty is."""
    assert make_message(importance=importance) == make_message()


@pytest.mark.parametrize("importance", ["urgent", "HIGH", 1, ["high"]])
def test_another_importance_is_refused(make_message: MakeMessage, importance: Any) -> None:
    """Only the three words are known, and the error lists them."""
    with pytest.raises(InvalidHeader, match=r"^importance: .*high, normal, low"):
        make_message(importance=importance)


@pytest.mark.parametrize("name", [*NAMES, "x-priority"])
def test_an_importance_and_its_header_by_hand_contradict_each_other(
    make_message: MakeMessage, name: str
) -> None:
    """Both at once are refused; without the argument the header is free."""
    with pytest.raises(InvalidHeader, match=r"^importance: writes .*Remove one"):
        make_message(importance="low", headers={name: "1"})
    assert (name, "1") in make_message(headers={name: "1"}).headers


@pytest.mark.parametrize("name", ["Auto-Submitted", "auto-submitted", "X-Auto-Response-Suppress"])
@pytest.mark.parametrize("value", [None, ""])
def test_what_every_message_says_can_be_left_out(
    make_message: MakeMessage, name: str, value: str | None
) -> None:
    """None leaves such a field out as an empty text does."""
    written = {field.lower() for field, _ in make_message(headers={name: value}).headers}
    assert name.lower() not in written
