import ast
import pickle
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import prefect_smtp_relay.mail
from prefect_smtp_relay.exceptions import (
    AttachmentError,
    InvalidHeader,
    InvalidMailbox,
    MessageError,
    NoRecipients,
)
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Draft, compose, mint_message_id

OPS = Mailbox("ops", "example.com", "Ops")


def draft(**given: Any) -> Draft:
    """Compose a draft in which a test sets only what it is about."""
    values = {"to": "ann@example.org", "subject": "S", "text": "T", "html": "H"}
    return compose(**{**values, **given})


def test_every_argument_is_read() -> None:
    """What the caller writes is in the draft, parsed."""
    made = draft(
        to="Ann <ann@example.org>, bob@example.org",
        cc=["cy@example.org"],
        bcc=Mailbox("di", "example.org"),
        from_="Me <me@example.org>",
        reply_to="a@example.org, b@example.org",
        attachments=[("a.txt", b"x")],
        inline_images={"logo": ("logo.png", b"x")},
        headers={"X-Team": " on-call ", "Sender": "Bot <bot@example.org>"},
    )
    assert [str(m) for m in made.to] == ["Ann <ann@example.org>", "bob@example.org"]
    assert [str(m) for m in made.cc + made.bcc] == ["cy@example.org", "di@example.org"]
    assert made.requested_from == Mailbox("me", "example.org", "Me")
    assert [m.address for m in made.reply_to] == ["a@example.org", "b@example.org"]
    assert made.sender == Mailbox("bot", "example.org", "Bot")
    assert ("X-Team", "on-call") in made.headers
    assert [file.name for file in made.attachments + made.inline_images] == ["a.txt", "logo.png"]


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_one_recipient_anywhere_is_enough(field: str) -> None:
    """A message may have its recipients in to, cc or bcc alone."""
    made = draft(**{"to": None, field: "ann@example.org"})
    assert made.to + made.cc + made.bcc == (Mailbox("ann", "example.org"),)


@pytest.mark.parametrize("to", [None, "", " , ", [], [""]])
def test_nobody_to_send_to(to: Any) -> None:
    """Without any recipient the draft is refused, naming the three arguments."""
    with pytest.raises(NoRecipients, match="Name an address in to, cc or bcc"):
        draft(to=to)


@pytest.mark.parametrize(
    ("given", "error", "start"),
    [
        ({"to": "ann"}, InvalidMailbox, "to: "),
        ({"cc": "ann"}, InvalidMailbox, "cc: "),
        ({"bcc": ["ann"]}, InvalidMailbox, "bcc: "),
        ({"from_": "ann"}, InvalidMailbox, "from_: "),
        ({"reply_to": "ann"}, InvalidMailbox, "reply_to: "),
        ({"headers": {"Sender": "ann"}}, InvalidMailbox, r"headers\['Sender'\]: "),
        ({"subject": "a\r\nBcc: eve@example.org"}, InvalidHeader, "subject: "),
        ({"subject": "a\x00"}, InvalidHeader, "subject: "),
        ({"subject": None}, InvalidHeader, "subject: "),
        ({"to": "A\r\nB <ann@example.org>"}, InvalidMailbox, "to: "),
        ({"reply_to": "ann@example.org\nx"}, InvalidMailbox, "reply_to: "),
        ({"reverse_path": "ann"}, InvalidMailbox, "reverse_path: "),
        ({"from_": "A\x00 <ann@example.org>"}, InvalidMailbox, "from_: "),
        ({"headers": {"X-A": "b\r\nBcc: eve@example.org"}}, InvalidHeader, "headers"),
        ({"headers": {"X-A\r\nBcc": "eve@example.org"}}, InvalidHeader, "headers: "),
        ({"headers": {"Bcc": "eve@example.org"}}, InvalidHeader, "headers: Bcc"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, InvalidHeader, "headers: a name is there twice"),
        ({"headers": {"Sender": "a@x.org", "sender": "b@x.org"}}, InvalidHeader, "headers: a name"),
        ({"attachments": [("a\r\nb", b"x")]}, AttachmentError, "attachments: "),
        ({"inline_images": {"a\r\nb": ("a.png", b"x")}}, AttachmentError, "inline_images: "),
        ({"text": None}, MessageError, "text: expected text"),
        ({"html": b"x"}, MessageError, "html: expected text"),
        ({"text": "a\ud800"}, MessageError, "text: contains half a character"),
    ],
)
def test_a_mistake_names_its_argument(
    given: Mapping[str, Any], error: type[Exception], start: str
) -> None:
    """Everything a caller can get wrong is a MessageError that begins with the argument."""
    with pytest.raises(error, match=f"^{start}") as caught:
        draft(**given)
    assert isinstance(caught.value, MessageError)
    assert isinstance(caught.value, ValueError)
    assert not caught.value.transient


def test_a_draft_becomes_a_message() -> None:
    """A sender, a Message-ID in its domain, and a date with a time zone complete a draft."""
    made = draft()
    message = made.from_mailbox(OPS)
    assert message.from_ == OPS
    assert re.fullmatch(r"<[0-9a-f-]{36}@example\.com>", message.message_id)
    assert message.date.utcoffset() == timedelta(0)
    assert (message.to, message.subject, message.text) == (made.to, made.subject, made.text)


def test_the_same_seed_gives_the_same_message_id() -> None:
    """A retried send keeps its Message-ID, another send and another domain have another."""
    made = draft()
    first = made.from_mailbox(OPS, seed="run-1").message_id
    assert made.from_mailbox(OPS, seed="run-1").message_id == first
    assert made.from_mailbox(OPS, seed="run-2").message_id != first
    assert mint_message_id("example.org", "run-1") != first


def test_without_a_seed_every_message_id_is_new() -> None:
    """Two messages that nobody ties together have two ids."""
    assert len({mint_message_id("example.com") for _ in range(100)}) == 100


def test_only_shown_addresses_need_smtputf8() -> None:
    """A local part beyond ASCII counts where a header shows it, not in Bcc."""
    beyond = "j\u00fcrgen@example.org"
    assert draft(to=beyond).from_mailbox(OPS).needs_smtputf8
    assert draft(reply_to=beyond).from_mailbox(OPS).needs_smtputf8
    assert draft(headers={"Sender": beyond}).from_mailbox(OPS).needs_smtputf8
    assert not draft(bcc=beyond).from_mailbox(OPS).needs_smtputf8


def test_a_message_survives_a_pickle() -> None:
    """A message comes back from another process as it was."""
    message = draft(attachments=[("a.txt", b"x")], headers={"X-A": "b"}).from_mailbox(OPS)
    assert pickle.loads(pickle.dumps(message)) == message  # noqa: S301 - our own octets


def test_nothing_asks_dns_for_this_host() -> None:
    """getfqdn, and make_msgid that calls it, can take seconds: no module may name them."""
    sources = list(Path(prefect_smtp_relay.mail.__path__[0]).parent.rglob("*.py"))
    assert sources
    for path in sources:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.alias)}
        assert not names & {"getfqdn", "make_msgid"}, path
