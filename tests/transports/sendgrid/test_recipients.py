from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import UnsupportedFeature
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.transports.sendgrid.payload import encode_payload, render_payload

from .send_rules import violations

MakeMessage = Callable[..., Message]


def _copies(message: Message, envelope: Envelope | None = None) -> list[dict[str, Any]]:
    """The personalizations, in SendGrid's words, of a payload that it would take."""
    envelope = envelope or Envelope.of(message)
    payload = render_payload(message, envelope, categories=(), sandbox_mode=False)
    assert violations(encode_payload(payload)) == []
    copies: list[dict[str, Any]] = payload["personalizations"]
    assert all(copy.pop("custom_args") == {"message_id": message.message_id} for copy in copies)
    return copies


def _recipients(message: Message, *forward_paths: str) -> dict[str, list[str]]:
    (fields,) = _copies(message, Envelope(message.from_, Mailbox.parse_list(forward_paths)))
    return {name: [entry["email"] for entry in entries] for name, entries in fields.items()}


def test_an_address_stands_in_one_field_only(make_message: MakeMessage) -> None:
    """To comes before cc and cc before bcc, whatever the case of the letters."""
    message = make_message(
        "ann@example.org, Ann@example.org",
        cc="ANN@example.org, bob@example.org",
        bcc="Bob@example.org, ann@example.org, cleo@example.org",
    )
    addresses = [m.address for m in Envelope.of(message).forward_paths]
    assert _recipients(message, *addresses) == {
        "to": ["ann@example.org"],
        "cc": ["bob@example.org"],
        "bcc": ["cleo@example.org"],
    }


def test_only_forward_paths_are_served(make_message: MakeMessage) -> None:
    """Who is in the header fields but not in the envelope gets no mail."""
    message = make_message("ann@example.org, bob@example.org", cc="cleo@example.org")
    assert _recipients(message, "bob@example.org") == {"to": ["bob@example.org"]}


def test_a_forward_path_that_no_field_names(make_message: MakeMessage) -> None:
    """A recipient of the envelope alone stays hidden from the others."""
    found = _recipients(make_message(), "ann@example.org", "eve@example.org")
    assert found == {"to": ["ann@example.org"], "bcc": ["eve@example.org"]}


def test_the_second_try_of_a_mail(make_message: MakeMessage) -> None:
    """What is left of the recipients gets the mail, whatever field named them."""
    message = make_message("ann@example.org", cc="bob@example.org", bcc="eve@example.org")
    assert _recipients(message, "bob@example.org") == {"to": ["bob@example.org"]}
    assert _recipients(message, "eve@example.org") == {"to": ["eve@example.org"]}


def test_a_thousand_hidden_recipients(make_message: MakeMessage) -> None:
    """A thousand recipients pass in bcc alone too, each with a copy of his own."""
    bcc = [f"u{number}@example.org" for number in range(1000)]
    message = make_message(None, bcc=bcc)
    assert _copies(message) == [{"to": [{"email": address}]} for address in bcc]


def test_a_thousand_recipients(make_message: MakeMessage) -> None:
    """A thousand recipients pass, one more does not."""
    bcc = [f"u{number}@example.org" for number in range(999)]
    message = make_message(bcc=bcc)
    assert len(_recipients(message, "ann@example.org", *bcc)["bcc"]) == 999
    with pytest.raises(UnsupportedFeature, match=r"^to: 1001 recipients; .* Split the list\.$"):
        _recipients(make_message(bcc=bcc), "ann@example.org", *bcc, "one@example.org")


def test_mail_to_hidden_recipients_alone(make_message: MakeMessage) -> None:
    """Each has a copy of his own, in which nobody else is named, the sender included."""
    message = make_message(None, bcc="Eve <eve@example.org>, dan@example.org")
    assert _copies(message) == [
        {"to": [{"email": "eve@example.org", "name": "Eve"}]},
        {"to": [{"email": "dan@example.org"}]},
    ]


def test_mail_without_to(make_message: MakeMessage) -> None:
    """Those in cc stand in to, where they see each other as before; the hidden stay hidden."""
    message = make_message(None, cc="ann@example.org, Bob <bob@example.org>", bcc="eve@example.org")
    assert _copies(message) == [
        {
            "to": [{"email": "ann@example.org"}, {"email": "bob@example.org", "name": "Bob"}],
            "bcc": [{"email": "eve@example.org"}],
        }
    ]
