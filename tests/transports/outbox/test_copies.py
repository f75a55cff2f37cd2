"""The same mail stored more than once: each is kept, and told of."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import PermanentFailure
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Refusal
from prefect_smtp_relay.transports.outbox import Outbox
from prefect_smtp_relay.transports.outbox.copies import MAX_COPIES
from prefect_smtp_relay.transports.outbox.stored_mail import copies

from .opening import outbox_in

NewMessage = Callable[..., Message]
_SAME = {"subject": "Import", "bcc": "eve@example.net"}


@pytest.fixture
def put(outbox: Outbox, new_message: NewMessage) -> Callable[..., tuple[str, list[str]]]:
    """Store a message with a Message-ID of its own; return its entry, and its copies."""
    return lambda seed, **values: _put(outbox, new_message(seed, **{**_SAME, **values}))


def _put(outbox: Outbox, message: Message) -> tuple[str, list[str]]:
    envelope = Envelope.of(message)
    entry = outbox.keep(message, envelope, "no relay")
    return entry, outbox.copies(entry, message, envelope)


def test_whoever_stores_a_copy_learns_of_the_others(outbox: Outbox, put: Any) -> None:
    """By the ids of their entries; those that are gone are not told."""
    first, others = put("one")
    assert others == []
    second, others = put("two")
    assert others == [first]
    assert put("three")[1] == [first, second]
    outbox.discard([first])
    assert put("four")[1][0] == second


def test_the_same_message_is_not_a_copy_of_itself(outbox: Outbox, put: Any) -> None:
    """A retried task stores its message in place of itself."""
    assert put("one") == put("one")
    assert len(outbox.entries()) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"subject": "import"},
        {"text": "another"},
        {"html": "<p>another</p>"},
        {"to": "ann@example.net"},
        {"cc": "bob@example.net", "to": "ann@example.net"},
        {"bcc": "bob@example.net"},
        {"from_": "ops@example.org"},
        {"reply_to": "ops@example.org"},
        {"reverse_path": "bounces@example.org"},
        {"headers": {"X-Incident": "42"}},
        {"categories": ["incident"]},
        {"attachments": [("a.txt", b"2")]},
    ],
    ids=lambda other: " ".join(other),
)
def test_another_mail_is_not_a_copy(outbox: Outbox, put: Any, other: dict[str, Any]) -> None:
    """Sender, recipients, subject, body, header fields and files have to be the same."""
    put("one", attachments=[("a.txt", b"1")])
    _, others = put("two", **{"attachments": [("a.txt", b"1")], **other})
    assert others == []
    assert copies(outbox.entries()) == []


def test_who_was_accepted_makes_a_mail_another_one(outbox: Outbox, put: Any, relay: Any) -> None:
    """The rest of a mail goes to fewer people than its copy."""
    first, _ = put("one", to="ann@example.org, bob@example.org")
    second, _ = put("two", to="ann@example.org, bob@example.org")
    [group] = copies(outbox.entries())
    assert [mail.id for mail in group] == [first, second]
    relay.answer = {
        "refused": {"bob@example.org": Refusal(code=550, text="no")},
        "accepted": ["ann@example.org"],
    }
    outbox.flush(relay, [first])
    assert copies(outbox.entries()) == []
    assert put("three", to="ann@example.org, bob@example.org")[1] == [second]


def test_what_a_copy_costs_is_bounded(outbox: Outbox, put: Any) -> None:
    """However many wait, a few are remembered, and no listing is read."""
    entries = [put(str(number))[0] for number in range(MAX_COPIES + 3)]
    assert put("last")[1] == entries[-MAX_COPIES:]
    [group] = copies(outbox.entries())
    assert len(group) == len(entries) + 1


def test_a_hint_tells_nothing_without_the_key(directory: Path, new_message: NewMessage) -> None:
    """Its name cannot be guessed from a mail, nor its contents be read."""
    names = []
    for folder in ("a", "b"):
        key = SecretStr(Fernet.generate_key().decode())
        spool = directory.parent / folder / "outbox"
        entry, _ = _put(outbox_in(spool, [key]), new_message("one"))
        [hint] = (spool.parent / "copies").iterdir()
        assert entry.encode() not in hint.read_bytes()
        names.append(hint.name)
    assert names[0] != names[1]


@pytest.mark.parametrize("damage", [b"", b"[", b"{}", b'[1, "../../etc/passwd"]'])
def test_a_damaged_hint_costs_nothing(
    outbox: Outbox, directory: Path, put: Any, damage: bytes
) -> None:
    """The mail is stored, and the hint is written anew."""
    put("one")
    [hint] = (directory.parent / "copies").iterdir()
    hint.write_bytes(damage)
    second, others = put("two")
    assert others == []
    assert put("three")[1] == [second]
    assert len(outbox.entries()) == 3


def test_a_hint_that_cannot_be_written_loses_no_mail(
    outbox: Outbox, directory: Path, put: Any
) -> None:
    """It is a hint only."""
    directory.parent.mkdir(parents=True)
    (directory.parent / "copies").write_text("not a folder")
    assert put("one")[1] == []
    assert len(outbox.entries()) == 1


def test_old_hints_are_removed(outbox: Outbox, directory: Path, put: Any, relay: Any) -> None:
    """After a week in which nobody stored such a mail."""
    put("one")
    put("other", subject="Export")
    old, young = sorted((directory.parent / "copies").iterdir())
    then = time.time() - 8 * 24 * 60 * 60
    os.utime(old, (then, then))
    outbox.flush(relay)
    assert list((directory.parent / "copies").iterdir()) == [young]


def test_an_entry_tells_its_history(outbox: Outbox, put: Any, relay: Any) -> None:
    """Why it was stored, and what became of it since: the first, and the last few things."""
    put("one")
    for number in range(12):
        relay.answer = PermanentFailure("smtp://x.test:25", f"try {number}")
        outbox.flush(relay)
    put("one")
    [mail] = outbox.entries()
    reasons = [each.reason for each in outbox.history(mail)]
    assert len(reasons) == 10
    assert (reasons[0], reasons[-1]) == ("no relay", "no relay")
    assert "try 11" in reasons[-2]
    assert "try 4" in reasons[1]
