"""Storing a message, and listing and reading what is stored."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.render import render_mime
from prefect_smtp_relay.mail.sender import FROM_PENDING
from prefect_smtp_relay.transports.base import Transport
from prefect_smtp_relay.transports.outbox import Outbox

NewMessage = Callable[..., Message]
Store = Callable[..., Message]


def test_the_receipt_says_stored_and_that_nobody_accepted(
    outbox: Outbox, directory: Path, new_message: NewMessage
) -> None:
    """A stored mail is never reported as accepted, for no recipient."""
    transport: Transport = outbox
    message = new_message(bcc="eve@example.net")
    receipt = transport.deliver(message, Envelope.of(message))
    (mail,) = outbox.entries()
    assert (receipt.outcome, receipt.accepted, receipt.bcc_accepted) == ("stored", (), 0)
    assert receipt.transport == outbox.name == f"outbox:{directory.parent}"
    assert receipt.provider_id == mail.id
    assert receipt.response == f"stored as {Path(mail.place)}"
    assert receipt.size == render_mime(message).size
    assert mail.reason == "no relay was connected"


def test_the_message_lies_there_as_it_would_be_transmitted(
    outbox: Outbox, new_message: NewMessage
) -> None:
    """The .eml is the rendered message byte for byte, without its Bcc recipients."""
    message = new_message(bcc="Eve <eve@example.net>", attachments=[("a.bin", b"\x00" * 200_000)])
    path = Path(outbox.place(outbox.keep(message, Envelope.of(message), "no relay")))
    assert path.read_bytes() == bytes(render_mime(message))
    assert b"eve" not in path.read_bytes().lower()


def test_what_is_stored_comes_back(outbox: Outbox, new_message: NewMessage) -> None:
    """Reading an entry gives the message and the envelope that were stored, Bcc included."""
    message = new_message(
        to="J\u00f6rg <j\u00f6rg@example.net>",
        bcc="E\u00e8ve <eve@example.net>",
        from_="Ann <ann@example.org>",
        headers={"X-Team": "r\u00e9seau"},
        categories=["incident", "night"],
        reverse_path="bounces@example.org",
    )
    envelope = Envelope.of(message)
    outbox.keep(message, envelope, "no relay")
    assert outbox.read(outbox.entries()[0]) == (message, envelope)


def test_an_entry_of_an_earlier_version_is_read(
    outbox: Outbox, directory: Path, store: Store
) -> None:
    """A record that was written before mails had categories or a reverse-path is as good."""
    message = store()
    (path,) = directory.glob("*.json")
    record = json.loads(path.read_text())
    del record["categories"], record["requested_reverse_path"]
    path.write_text(json.dumps(record))
    assert outbox.read(outbox.entries()[0])[0] == message


def test_a_listing_describes_the_entry(outbox: Outbox, new_message: NewMessage) -> None:
    """A listing shows what an operator asks for, with a time in UTC."""
    message = new_message(subject="Disk full", cc="cy@example.net", bcc="eve@example.net")
    before = datetime.now(UTC)
    path = Path(outbox.place(outbox.keep(message, Envelope.of(message), "550 no")))
    (mail,) = outbox.entries()
    assert before <= mail.stored_at <= datetime.now(UTC)
    assert mail.stored_at.utcoffset() == timedelta(0)
    assert (Path(mail.place), mail.id, mail.reason) == (path, path.stem, "550 no")
    assert (mail.message_id, mail.subject) == (message.message_id, "Disk full")
    assert (mail.from_, mail.recipients) == ("ann@example.org", 3)
    assert mail.size == path.stat().st_size
    assert (mail.claimed, mail.interrupted, mail.error) == (False, False, "")


def test_entries_come_oldest_first(outbox: Outbox, store: Store) -> None:
    """The order of a listing is the order of storing."""
    seeds = [str(number) for number in range(12)]
    for seed in seeds:
        store(seed)
    assert [mail.subject for mail in outbox.entries()] == seeds


def test_the_same_message_id_is_stored_once(outbox: Outbox, store: Store) -> None:
    """A retried task replaces what it stored before."""
    store("one", subject="first try")
    store("one", subject="second try")
    assert [mail.subject for mail in outbox.entries()] == ["second try"]


def test_an_outbox_that_never_stored_anything_is_empty(outbox: Outbox, directory: Path) -> None:
    """Listing creates nothing."""
    assert outbox.entries() == []
    assert not directory.exists()


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 2},
        {"forward_paths": []},
        {"reverse_path": {"local_part": "ann\r\nRCPT TO:<x@y>", "domain": "example.org"}},
    ],
)
def test_a_damaged_record_is_listed_with_its_error(
    outbox: Outbox, store: Store, damage: dict[str, Any]
) -> None:
    """What cannot be read is shown, says why, and stays."""
    store(bcc="canary@example.net")
    path = Path(outbox.entries()[0].place)
    record = path.with_suffix(".json")
    record.write_text(json.dumps({**json.loads(record.read_text()), **damage}))
    (mail,) = outbox.entries()
    assert next(iter(damage)) in mail.error
    assert "canary" not in mail.error
    with pytest.raises(MessageError):
        outbox.read(mail)
    assert path.exists()


@pytest.mark.parametrize("suffix", [".json", ".eml"])
def test_a_missing_half_is_an_error(outbox: Outbox, store: Store, suffix: str) -> None:
    """Reading an entry whose file somebody removed says which file."""
    store()
    (mail,) = outbox.entries()
    Path(mail.place).with_suffix(suffix).unlink()
    with pytest.raises(MessageError, match=f"{mail.id}{suffix}"):
        outbox.read(mail)


def test_half_a_text_is_never_taken_for_a_whole_one(
    outbox: Outbox, directory: Path, store: Store
) -> None:
    """A text alone has no end of its own: what was cut off shows in its size."""
    store(html="", text="one\ntwo\nthree")
    (path,) = directory.glob("*.eml")
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(MessageError, match=r"has \d+ of \d+ bytes\. Restore it"):
        outbox.read(outbox.entries()[0])


def test_a_reason_that_cannot_be_written_is_written_nevertheless(
    outbox: Outbox, new_message: NewMessage
) -> None:
    """Undecodable octets of a relay's reply do not lose the mail."""
    message = new_message()
    outbox.keep(message, Envelope.of(message), "550 caf\udce9")
    assert outbox.entries()[0].reason == "550 caf?"


def test_the_pending_from_can_be_stored(outbox: Outbox, new_message: NewMessage) -> None:
    """The placeholder for an undecided From survives, so that the relay can replace it."""
    message = replace(new_message(), from_=FROM_PENDING)
    outbox.keep(message, Envelope.of(message), "no relay")
    assert outbox.read(outbox.entries()[0])[0].from_ == FROM_PENDING
