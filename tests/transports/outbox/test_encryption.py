"""What is on the disk when spool_key is set."""

import base64
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import EmailError, RelayConfigurationError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.transports.outbox import Outbox

from .opening import outbox_in

NewMessage = Callable[..., Message]

OLD, NEW = (SecretStr(Fernet.generate_key().decode()) for _ in range(2))


def _keep(outbox: Outbox, message: Message) -> Path:
    return Path(outbox.place(outbox.keep(message, Envelope.of(message), "the canary was refused")))


def test_nothing_on_the_disk_is_in_clear(directory: Path, new_message: NewMessage) -> None:
    """Neither subject, body, recipient, file nor reason can be read without the key."""
    message = new_message(
        subject="canary",
        text="canary",
        html="canary",
        to="canary@example.net",
        bcc="canary2@example.net",
        attachments=[("canary.txt", b"canary")],
    )
    outbox = outbox_in(directory, [NEW])
    _keep(outbox, message)
    for file in directory.iterdir():
        assert b"canary" not in file.read_bytes() + file.name.encode()
        assert base64.b64encode(b"canary") not in file.read_bytes()
    (mail,) = outbox.entries()
    assert outbox.read(mail) == (message, Envelope.of(message))
    assert mail.reason == "the canary was refused"


def test_an_older_key_still_decrypts(directory: Path, new_message: NewMessage, relay: Any) -> None:
    """After a rotation the first key encrypts, and what the older one encrypted is flushed."""
    first, second = new_message("one"), new_message("two")
    _keep(outbox_in(directory, [OLD]), first)
    rotated = outbox_in(directory, [NEW, OLD])
    path = _keep(rotated, second)
    Fernet(NEW.get_secret_value()).decrypt(path.read_bytes())
    assert len(rotated.flush(relay).accepted) == 2
    assert [taken[0] for taken in relay.taken] == [first, second]


def test_clear_mail_is_submitted_only_on_demand_where_a_key_is_set(
    directory: Path, new_message: NewMessage, relay: Any
) -> None:
    """Whoever can write into the directory could have put it there; the error names the way out."""
    _keep(outbox_in(directory), new_message())
    report = outbox_in(directory, [NEW]).flush(relay)
    assert (report.accepted, report.remaining, relay.taken) == ([], 1, [])
    assert "is not encrypted. If it was stored before the key was set" in report.failed[0][1]
    assert "spool_accepts=any" in report.failed[0][1]
    assert len(outbox_in(directory, [NEW], accepts_any=True).flush(relay).accepted) == 1


def test_a_clear_message_beside_an_encrypted_record_is_not_submitted(
    directory: Path, new_message: NewMessage, relay: Any
) -> None:
    """Each of the two files has to be encrypted."""
    path = _keep(outbox_in(directory, [NEW]), new_message())
    path.write_bytes(Fernet(NEW.get_secret_value()).decrypt(path.read_bytes()))
    report = outbox_in(directory, [NEW]).flush(relay)
    assert (report.accepted, report.remaining, relay.taken) == ([], 1, [])


@pytest.mark.parametrize("keys", [[], [OLD]])
def test_an_entry_that_cannot_be_decrypted_is_listed_and_kept(
    directory: Path, new_message: NewMessage, relay: Any, keys: list[SecretStr]
) -> None:
    """The listing says which setting to change, and a flush leaves the entry as it is."""
    path = _keep(outbox_in(directory, [NEW]), new_message())
    before = {file: file.read_bytes() for file in directory.iterdir()}
    outbox = outbox_in(directory, keys)
    (mail,) = outbox.entries()
    assert (Path(mail.place), mail.subject, mail.recipients) == (path, "", 0)
    assert "spool_key" in mail.error
    with pytest.raises(RelayConfigurationError, match="spool_key"):
        outbox.read(mail)
    report = outbox.flush(relay)
    assert (report.failed, report.remaining) == ([(mail.id, mail.error)], 1)
    assert relay.taken == []
    assert {file: file.read_bytes() for file in directory.iterdir()} == before


def test_a_message_of_a_lost_key_goes_back(
    directory: Path, new_message: NewMessage, relay: Any
) -> None:
    """A readable record does not get its unreadable message submitted or removed."""
    path = _keep(outbox_in(directory, [OLD]), new_message())
    record = path.with_suffix(".json")
    clear = Fernet(OLD.get_secret_value()).decrypt(record.read_bytes())
    record.write_bytes(Fernet(NEW.get_secret_value()).encrypt(clear))
    report = outbox_in(directory, [NEW]).flush(relay)
    assert "spool_key" in report.failed[0][1]
    assert (relay.taken, report.remaining, path.exists()) == ([], 1, True)


@pytest.mark.parametrize(
    "key",
    ["", "canary-key", "canary-k\u00e9y", NEW.get_secret_value()[:-4]],
    ids=["empty", "short", "accent", "cut"],
)
def test_a_wrong_key_names_the_setting_and_how_to_make_one(directory: Path, key: str) -> None:
    """The error helps to make a key and never shows the wrong one."""
    with pytest.raises(RelayConfigurationError, match=r"spool_key.*generate_key") as raised:
        outbox_in(directory, [SecretStr(key)])
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert "canary" not in shown.replace("test_", "")
    assert not key or key not in shown


def test_no_key_is_shown_anywhere(directory: Path, new_message: NewMessage) -> None:
    """Neither a repr nor an error shows a key."""
    key = NEW.get_secret_value()
    outbox = outbox_in(directory, [NEW])
    _keep(outbox, new_message())
    shown = [repr(outbox), str(vars(outbox)), outbox.name]
    with pytest.raises(EmailError) as raised:
        outbox_in(directory, [OLD]).read(outbox.entries()[0])
    shown += traceback.format_exception(raised.value)
    assert all(key not in text and OLD.get_secret_value() not in text for text in shown)
