from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import MessageError, MessageTooLarge, UnsupportedFeature
from prefect_smtp_relay.mail.attachment import Attachment
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.transports.sendgrid import SendGridTransport
from prefect_smtp_relay.transports.sendgrid.limits import MAX_OCTETS
from prefect_smtp_relay.transports.sendgrid.payload import render_payload

from .api_server import ApiServer

MakeMessage = Callable[..., Message]


def _recipients(message: Message, *forward_paths: str) -> dict[str, list[str]]:
    envelope = Envelope(message.from_, Mailbox.parse_list(forward_paths))
    payload = render_payload(message, envelope, categories=(), sandbox_mode=False)
    fields = payload["personalizations"][0]
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
    payload = render_payload(message, Envelope.of(message), categories=(), sandbox_mode=False)
    assert [copy["to"][0]["email"] for copy in payload["personalizations"]] == bcc


def test_too_many_categories(make_message: MakeMessage) -> None:
    """Those of the block count, but for one that the message names too."""
    message = make_message(categories=[f"m{number}" for number in range(8)])
    envelope = Envelope.of(message)
    options: dict[str, Any] = {"sandbox_mode": False}
    payload = render_payload(message, envelope, categories=("a", "b", "m1"), **options)
    assert len(payload["categories"]) == 10
    with pytest.raises(MessageError, match=r"^categories: 11 with those of the SendGrid block; "):
        render_payload(message, envelope, categories=("a", "b", "c"), **options)


def test_a_thousand_recipients(make_message: MakeMessage) -> None:
    """A thousand recipients pass, one more does not."""
    bcc = [f"u{number}@example.org" for number in range(999)]
    message = make_message(bcc=bcc)
    assert len(_recipients(message, "ann@example.org", *bcc)["bcc"]) == 999
    with pytest.raises(UnsupportedFeature, match=r"^to: 1001 recipients; .* Split the list\.$"):
        _recipients(make_message(bcc=bcc), "ann@example.org", *bcc, "one@example.org")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"attachments": [("log.txt", b"")]}, "^attachments: 'log.txt' is empty"),
        ({"inline_images": {"dot": ("dot.png", b"")}}, "^inline_images: 'dot.png' is empty"),
        ({"headers": {"Sender": "desk@example.com"}}, r"^headers\['Sender'\]: "),
        ({"to": "jörg@example.org"}, "^jörg@example.org: .*ASCII"),
        ({"bcc": "jörg@example.org"}, "^jörg@example.org: .*ASCII"),
        ({"from_": "jörg@example.org"}, "^jörg@example.org: .*ASCII"),
        ({"reply_to": "jörg@example.org"}, "^jörg@example.org: .*ASCII"),
        ({"headers": {"X-SG-EID": "1"}}, "^headers: .*X-SG-EID"),
        ({"subject": ""}, "^subject: "),
        ({"text": "", "html": ""}, "^body: "),
    ],
)
def test_what_sendgrid_cannot_express_is_refused_before_any_io(
    make_message: MakeMessage,
    make_transport: Callable[..., SendGridTransport],
    api: ApiServer,
    changes: dict[str, Any],
    named: str,
) -> None:
    """The error names the argument, and no request is made."""
    message = make_message(**changes)
    with pytest.raises(UnsupportedFeature, match=named):
        make_transport().deliver(message, Envelope.of(message))
    assert api.requests == []


@pytest.mark.parametrize(
    "name",
    [
        *("x-sg-id", "X-SG-EID", "Received", "DKIM-Signature", "Content-Type"),
        *("Content-Transfer-Encoding", "To", "From", "Subject", "Reply-To", "CC", "BCC"),
    ],
)
def test_every_reserved_header_is_refused_by_its_name(make_message: MakeMessage, name: str) -> None:
    """The list is SendGrid's; a message built without `compose` is checked too."""
    message = replace(make_message(), headers=((name, "x"),))
    with pytest.raises(UnsupportedFeature, match=f"sets {name} by itself"):
        _recipients(message, "ann@example.org")


def test_files_too_large_are_refused_unread(make_message: MakeMessage) -> None:
    """Files that are too large in base64 are refused by their size alone."""
    file = Attachment(b"x", "big.bin")
    object.__setattr__(file, "size", MAX_OCTETS // 4 * 3 + 3)
    message = replace(make_message(), attachments=(file,))
    with pytest.raises(MessageTooLarge, match=f"takes 30 MB .{MAX_OCTETS} octets"):
        _recipients(message, "ann@example.org")


def test_a_request_too_large_is_refused_before_any_io(
    make_message: MakeMessage, make_transport: Callable[..., SendGridTransport], api: ApiServer
) -> None:
    """The limit counts the whole JSON, so two long bodies are too much together."""
    message = make_message(text="x" * (MAX_OCTETS // 2), html="y" * (MAX_OCTETS // 2))
    with pytest.raises(MessageTooLarge, match=r"Attach less, or link to the files\.$"):
        make_transport().deliver(message, Envelope.of(message))
    assert api.requests == []
