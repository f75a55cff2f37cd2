"""Threads: mails of one key and sender domain name one root."""

from __future__ import annotations

import email
import email.policy

import pytest

from prefect_smtp_relay.exceptions import InvalidHeader
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.mail.mime.parse import read_message
from prefect_smtp_relay.mail.mime.render import render_mime


def mail(thread: str | None, sender: str = "ops@example.org") -> Message:
    """Compose one mail of a thread."""
    draft = compose("ann@example.org", "s", text="t", html="h", thread=thread)
    return draft.from_mailbox(Mailbox.parse(sender))


def headers(message: Message) -> tuple[str, str]:
    """Read back In-Reply-To and References."""
    read = email.message_from_bytes(bytes(render_mime(message)), policy=email.policy.default)
    return str(read["In-Reply-To"]), str(read["References"])


def test_mails_of_one_thread_answer_the_same_root() -> None:
    """In-Reply-To and References name one Message-ID in the sender's domain, the same for all."""
    first, second = mail("INC-42"), mail("INC-42", "Else <else@example.org>")
    assert headers(first) == headers(second)
    assert headers(first)[0] == headers(first)[1]
    assert headers(first)[0].endswith("@example.org>")
    assert first.message_id != second.message_id


def test_other_threads_and_domains_have_other_roots() -> None:
    """A key means nothing outside of its sender's domain."""
    found = [headers(m) for m in (mail("A"), mail("B"), mail("A", "ops@example.com"))]
    for of_one_field in zip(*found, strict=True):
        assert len(set(of_one_field)) == 3


def test_no_thread_is_no_header() -> None:
    """Without a key the mail answers nothing."""
    assert headers(mail("")) == headers(mail(None)) == ("None", "None")


@pytest.mark.parametrize("name", ["In-Reply-To", "references"])
def test_a_thread_and_its_header_by_hand_contradict_each_other(name: str) -> None:
    """Both at once are refused, naming the argument."""
    with pytest.raises(InvalidHeader, match="thread: "):
        compose("a@b.org", "s", text="t", html="h", thread="x", headers={name: "<y@z>"})


def test_a_thread_is_one_line() -> None:
    """A key with a line end is refused before anything is sent."""
    with pytest.raises(InvalidHeader, match="thread: "):
        mail("a\r\nBcc: eve@example.org")


def test_a_mail_that_waited_for_a_sender_joins_the_thread_of_its_domain() -> None:
    """What the outbox stored without a From gets the root that the relay's other mails have."""
    pending = mail("INC-42", "from-not-set@outbox.invalid")
    stored = read_message(bytes(render_mime(pending)))
    flushed = stored.with_sender(Mailbox.parse("ops@example.org"))
    assert headers(flushed) == headers(mail("INC-42"))
    assert flushed.message_id == pending.message_id


def test_another_sender_leaves_references_by_hand_alone() -> None:
    """Only the root of a thread moves; a Message-ID that the caller answers is somebody's."""
    answered = "<0b9cbd3c-5c0a-5a58-8d4b-7c4c0a7b2b11@example.org>"
    free = {"In-Reply-To": answered, "References": answered, "X-Root": answered}
    draft = compose("a@b.org", "s", text="t", html="h", headers=free)
    message = draft.from_mailbox(Mailbox.parse("ops@example.org"))
    moved = dict(message.with_sender(Mailbox.parse("ops@example.com")).headers)
    assert {name: moved[name] for name in free} == free


def test_the_mail_that_starts_a_thread_is_what_the_others_answer() -> None:
    """Its Message-ID is their root, also where it waited for a sender."""
    start = compose("a@b.org", "s", text="t", html="h", thread="INC-42", starts_thread=True)
    pending = start.from_mailbox(Mailbox.parse("from-not-set@outbox.invalid"))
    stored = read_message(bytes(render_mime(pending)))
    flushed = stored.with_sender(Mailbox.parse("ops@example.org"))
    assert headers(mail("INC-42")) == (flushed.message_id, flushed.message_id)
    assert headers(flushed) == ("None", "None")


def test_there_is_nothing_to_start_without_a_thread() -> None:
    """``starts_thread`` alone is a mistake."""
    with pytest.raises(InvalidHeader, match="starts_thread: there is no thread"):
        compose("a@b.org", "s", text="t", html="h", starts_thread=True)
