from collections.abc import Callable

import pytest

from prefect_smtp_relay.exceptions import NoRecipients
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message

MakeMessage = Callable[..., Message]


def test_each_recipient_is_there_once(make_message: MakeMessage) -> None:
    """Every address of to, cc and bcc is a forward-path, in that order and once."""
    message = make_message(to="a@x.org, b@x.org", cc="B <b@X.ORG>, c@x.org", bcc="a@x.org, d@x.org")
    addresses = [mailbox.address for mailbox in Envelope.of(message).forward_paths]
    assert addresses == ["a@x.org", "b@x.org", "c@x.org", "d@x.org"]


def test_reports_go_to_the_sender(make_message: MakeMessage) -> None:
    """The reverse-path is the Sender where there is one, else the From."""
    assert Envelope.of(make_message()).reverse_path.address == "ops@example.com"
    with_sender = make_message(headers={"Sender": "bot@example.com"})
    assert Envelope.of(with_sender).reverse_path.address == "bot@example.com"


def test_a_named_reverse_path_goes_before_every_other(make_message: MakeMessage) -> None:
    """What the message names, then what the relay names, then the Sender."""
    bounces, relay = Mailbox("bounces", "example.com"), Mailbox("relay", "example.com")
    with_sender = make_message(headers={"Sender": "bot@example.com"})
    assert Envelope.of(with_sender, relay).reverse_path == relay
    named = make_message(reverse_path="bounces@example.com", headers={"Sender": "bot@example.com"})
    assert Envelope.of(named, relay).reverse_path == bounces


def test_an_envelope_is_never_empty() -> None:
    """An envelope without a forward-path cannot be built."""
    with pytest.raises(NoRecipients):
        Envelope(Mailbox("a", "x.org"), ())


def test_a_bcc_recipient_may_need_smtputf8(make_message: MakeMessage) -> None:
    """The envelope names every recipient, those that no header shows as well."""
    assert Envelope.of(make_message(bcc="j\u00fcrgen@x.org")).needs_smtputf8
    assert not Envelope.of(make_message(bcc="j@b\u00fccher.example")).needs_smtputf8
