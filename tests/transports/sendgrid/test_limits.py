from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import MessageError, MessageTooLarge, UnsupportedFeature
from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.transports.sendgrid import SendGridTransport
from prefect_smtp_relay.transports.sendgrid.limits import MAX_BYTES
from prefect_smtp_relay.transports.sendgrid.payload import render_payload

from .api_server import ApiServer

MakeMessage = Callable[..., Message]


def _render(message: Message, *categories: str) -> dict[str, Any]:
    return render_payload(message, Envelope.of(message), categories=categories, sandbox_mode=False)


def test_too_many_categories(make_message: MakeMessage) -> None:
    """Those of the block count, but for one that the message names too."""
    message = make_message(categories=[f"m{number}" for number in range(8)])
    assert len(_render(message, "a", "b", "m1")["categories"]) == 10
    with pytest.raises(MessageError, match=r"^categories: 11 with those of the SendGrid block, "):
        _render(message, "a", "b", "c")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"attachments": [("log.txt", b"")]}, "^attachments: 'log.txt' is empty"),
        ({"inline_images": {"dot": ("dot.png", b"")}}, "^inline_images: 'dot.png' is empty"),
        ({"headers": {"Sender": "desk@example.com"}}, r"^headers\['Sender'\]: "),
        ({"to": "jörg@example.org"}, "^jörg@example.org: .*ASCII"),
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
        _render(message)


def test_files_too_large_are_refused_unread(make_message: MakeMessage) -> None:
    """Files that are too large in base64 are refused by their size alone."""
    file = Attachment(b"x", "big.bin")
    object.__setattr__(file, "size", MAX_BYTES // 4 * 3 + 3)
    message = replace(make_message(), attachments=(file,))
    with pytest.raises(MessageTooLarge, match=f"takes 30 MB .{MAX_BYTES} bytes"):
        _render(message)


def test_a_request_too_large_is_refused_before_any_io(
    make_message: MakeMessage, make_transport: Callable[..., SendGridTransport], api: ApiServer
) -> None:
    """The limit counts the whole JSON, so two long bodies are too much together."""
    message = make_message(text="x" * (MAX_BYTES // 2), html="y" * (MAX_BYTES // 2))
    with pytest.raises(MessageTooLarge, match=r"Attach less, or link to the files\.$"):
        make_transport().deliver(message, Envelope.of(message))
    assert api.requests == []


def test_a_reverse_path_is_refused(make_message: MakeMessage) -> None:
    """SendGrid takes the non-delivery reports itself: nobody would get them there."""
    message = make_message(reverse_path="bounces@example.com")
    with pytest.raises(UnsupportedFeature, match=r"^reverse_path: .* deliver through SMTP"):
        _render(message)


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_a_recipient_whom_sendgrid_cannot_name_is_refused_alone(
    make_message: MakeMessage,
    make_transport: Callable[..., SendGridTransport],
    api: ApiServer,
    field: str,
) -> None:
    """The others get the mail, and the receipt says who does not."""
    recipients = {"to": ["ann@example.org"], field: ["bob@example.org", "jörg@example.org"]}
    message = make_message(**recipients)
    receipt = make_transport().deliver(message, Envelope.of(message))
    assert "jörg" not in api.requests[0].body.decode()
    assert "bob@example.org" in api.requests[0].body.decode()
    if field == "bcc":
        assert (receipt.refused, receipt.bcc_accepted, receipt.bcc_refused) == ({}, 1, 1)
    else:
        assert "bob@example.org" in receipt.accepted
        assert str(receipt.refused["jörg@example.org"]).startswith("553 5.6.7 SendGrid takes only")
