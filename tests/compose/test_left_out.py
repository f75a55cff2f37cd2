"""Bad data that comes as a value loses no mail; what an author writes stays an error."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from prefect_smtp_relay import render, send_an_email
from prefect_smtp_relay.exceptions import InvalidHeader, InvalidMailbox, MessageError, NoRecipients
from prefect_smtp_relay.testing.memory import InMemoryTransport

BAD = ["nobody", "ann@", "a b@example.org", "ann@example..org", "a@b@c.org", "=?x?q?y?=@x.org"]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("field", ["to", "cc", "bcc", "reply_to"])
def test_one_invalid_subscriber_is_left_out(field: str, bad: str) -> None:
    """The others get the mail, and the message names what was left out; not who is in Bcc."""
    arguments: dict[str, Any] = {"to": "zoe@example.org", field: "{{ people }}"}
    people = ["ann@example.org", bad, "Bob <bob@example.org>"]
    message = render(subject="S", body="B", context={"people": people}, **arguments).message
    assert [m.local_part for m in getattr(message, field)] == ["ann", "bob"]
    (note,) = message.left_out
    assert note.startswith(f"{field}: ")
    assert (bad in note) == (field != "bcc")


@pytest.mark.parametrize(
    "to",
    [
        "{% for p in people %}{{ p.name }} <{{ p.email }}>; {% endfor %}",
        "{% for p in people %}{{ p.email }}\n{% endfor %}",
        ["{{ people[0].email }}", "{{ people[1].email }}", "{{ people[2].email }}"],
    ],
    ids=str,
)
def test_lists_that_a_template_makes(to: Any) -> None:
    """Each address of a loop is a value of its own."""
    people = [
        {"name": "Ann\x1b[31m\r\nLee", "email": "ann@example.org"},
        {"name": "Eve", "email": "eve@exa mple.org"},
        {"name": "Bob", "email": "bob@example.org"},
    ]
    message = render(to, "S", "B", context={"people": people}).message
    assert [m.address for m in message.to] == ["ann@example.org", "bob@example.org"]
    assert any("eve@exa mple.org" in note for note in message.left_out)
    assert message.to[0].display_name in {"", "Ann [31m Lee"}


@pytest.mark.parametrize("character", ["\n", "\r\n", "\x1b", "\x00", "\x85", "\u2028"])
@pytest.mark.parametrize(
    "arguments",
    [
        {"subject": "Down: {{ title }}"},
        {"thread": "{{ title }}"},
        {"headers": {"X-Title": "{{ title }}"}},
        {"attachments": [("{{ title }}.txt", b"x")]},
        {"preheader": "{{ title }}"},
    ],
    ids=lambda arguments: next(iter(arguments)),
)
def test_a_control_character_in_a_value_is_a_space(
    arguments: dict[str, Any], character: str
) -> None:
    """The mail goes out, and says where a character was replaced."""
    values = {"to": "ann@example.org", "subject": "S", "body": "B", **arguments}
    message = render(**values, context={"title": f"disk{character}full\n"}).message
    (note,) = message.left_out
    assert note == f"{next(iter(arguments))}: {character[0]!r} in a value is shown as a space"
    if "subject" in arguments:
        assert message.subject.split() == ["Down:", "disk", "full"]


def test_good_data_leaves_nothing_out() -> None:
    """A line end after a value is nothing to speak of."""
    message = render("{{ to }}", "{{ s }}", "B", context={"to": "a@x.org\n", "s": "ok\n"}).message
    assert message.left_out == ()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"to": "nobody, {{ v }}"}, InvalidMailbox),
        ({"to": "{{ v }} <nobody>"}, InvalidMailbox),
        ({"subject": "a\nb {{ v }}"}, InvalidHeader),
        ({"to": ["a@x.org", "Bob\r\n <b@x.org>"]}, InvalidMailbox),
    ],
    ids=str,
)
def test_what_an_author_writes_stays_an_error(
    arguments: dict[str, Any], error: type[MessageError]
) -> None:
    """Literal mistakes are refused before any I/O, with a context too."""
    values = {"to": "ann@example.org", "subject": "S", "body": "B", **arguments}
    with pytest.raises(error):
        render(**values, context={"v": "bob@example.org"})


def test_nobody_is_left() -> None:
    """A mail to nobody is an error that names what was left out."""
    with pytest.raises(NoRecipients, match=r"^to: nobody to send to; to: 'x' is not an e-mail"):
        render("{{ v }}", "S", "B", context={"v": "x"})


def test_a_setting_makes_it_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who would rather have no mail than half of one can say so."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_INVALID_VALUES", "refuse")
    with pytest.raises(InvalidMailbox, match=r"^to: 'x' is not an e-mail address"):
        render("a@x.org, {{ v }}", "S", "B", context={"v": "x"})


def test_receipt_and_one_warning_name_it(caplog: pytest.LogCaptureFixture) -> None:
    """What was left out is in the receipt, and in one warning."""
    with caplog.at_level(logging.WARNING):
        receipt = send_an_email.fn(
            "ann@example.org, {{ v }}",
            "S",
            "B",
            context={"v": "nobody"},
            from_="ops@example.org",
            relay=InMemoryTransport(),
        )
    assert receipt.left_out[0].startswith("to: 'nobody' is not an e-mail address")
    told = [r.getMessage() for r in caplog.records if "nobody" in r.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("Bad data is not in the mail <")


OPTIONS = [
    ("custom_logo_url", "cid:x"),
    ("custom_logo_url", "javascript:alert(1)"),
    ("list_unsubscribe", "https://example.org/a b"),
    ("list_unsubscribe", "nobody"),
    ("categories", "Störung"),
    ("importance", "urgent"),
]


@pytest.mark.parametrize(("name", "bad"), OPTIONS)
def test_an_option_that_a_value_makes_wrong_is_left_out(name: str, bad: str) -> None:
    """The mail goes out without it, and its note names the option."""
    arguments: dict[str, Any] = {name: "{{ bad }}"}
    message = render("ann@example.org", "S", "B", context={"bad": bad}, **arguments).message
    assert any(note.startswith(name) for note in message.left_out)


@pytest.mark.parametrize(("name", "bad"), OPTIONS)
def test_an_option_that_the_author_writes_wrong_is_an_error(name: str, bad: str) -> None:
    """With a context, too, what is not a value of it is refused."""
    arguments: dict[str, Any] = {name: bad}
    with pytest.raises(MessageError, match=name):
        render("ann@example.org", "S", "B", context={"n": 1}, **arguments)
