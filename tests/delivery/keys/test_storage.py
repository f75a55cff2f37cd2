"""What the result storage holds of a key, and what happens where it fails."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from prefect.filesystems import RemoteFileSystem, WritableFileSystem
from pydantic import PrivateAttr

from prefect_smtp_relay.exceptions import ReceiptDamaged, ReceiptLookupFailed
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.delivery.keys.keyed_flows import logged, records, tell


def test_the_record_names_neither_the_key_nor_bcc(mail_server: MailServer, storage: Path) -> None:
    """File names and contents hold no key, no Bcc recipient and no body."""
    tell("canary-key", bcc="canary-bcc@example.org", body="canary-body")
    files = [path for path in storage.rglob("*") if path.is_file()]
    assert records(storage)
    assert not [f for f in files if "canary" in f.name or b"canary" in f.read_bytes()]
    assert mail_server.mails[0].forward_paths[1] == "canary-bcc@example.org"


def test_a_remote_storage_is_asked_and_written(mail_server: MailServer, storage: Path) -> None:
    """The result storage of the flow counts, whichever its way of saying that nothing is there."""
    block = RemoteFileSystem(basepath="memory://results")
    block.save("remote-results", overwrite=True)
    remote = tell.with_options(result_storage=block)
    assert remote() == remote()
    assert mail_server.offered == 1
    assert not records(storage)
    tell()
    assert mail_server.offered == 2


class Shaky(WritableFileSystem):
    """A storage that works, but for what the test breaks."""

    _block_type_name = "Shaky"
    _files: dict[str, bytes] = PrivateAttr(default_factory=dict)
    _broken: list[Exception] = PrivateAttr(default_factory=list)

    def read_path(self, path: str, *, _sync: bool = True) -> bytes:  # type: ignore[override]  # Prefect's own ones are as sync as this
        """Give what is there; a broken storage gives no receipts for a while."""
        if "idempotency-key" in path and self._broken:
            raise self._broken.pop()
        return self._files[path]

    def write_path(self, path: str, content: bytes, *, _sync: bool = True) -> None:  # type: ignore[override]  # as above
        """Keep it."""
        self._files[path] = content


def test_a_record_that_cannot_be_read_now_is_not_taken_for_none(mail_server: MailServer) -> None:
    """A time-out of the storage is no "not found": the next try finds the receipt."""
    storage = Shaky()
    storage.save("shaky", overwrite=True)
    tell_there = tell.with_options(result_storage=storage)
    first = tell_there()
    storage._broken.append(TimeoutError("the storage is busy"))
    with pytest.raises(ReceiptLookupFailed, match=r"storage shaky \(TimeoutError"):
        tell_there()
    storage._broken.append(TimeoutError("the storage is busy"))
    assert tell_there(retries=1) == first
    assert mail_server.offered == 1


def test_a_storage_that_cannot_be_written_stops_the_mail(
    mail_server: MailServer, storage: Path, outbox_path: Path
) -> None:
    """Before the submission it is a transient error that names the storage; the mail is kept."""
    storage.write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(ReceiptLookupFailed, match=f"cannot read and write .*{storage}") as caught:
        tell(retries=1)
    assert caught.value.transient
    assert mail_server.offered == 0
    assert len(list(outbox_path.glob("*.eml"))) == 1
    assert caught.value.kept


def test_a_storage_that_fails_behind_the_mail_does_not_fail_the_send(
    mail_server: MailServer, storage: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After the acceptance it is a WARNING, and nothing is tried again."""

    def break_storage(_: str) -> None:
        storage.rename(storage.with_name("gone"))
        storage.write_text("a file where the folder should be", encoding="utf-8")

    mail_server.data_reply = break_storage
    receipt = tell(retries=2)
    (warning,) = logged(caplog, logging.WARNING)
    assert f"{receipt.message_id} was accepted, but its receipt could not be written" in warning
    assert mail_server.offered == 1


@pytest.mark.parametrize("content", [b"", b'{"metadata": {"stor', b"{}", b"[1]", b"\xff\xfe"])
def test_a_damaged_record_is_an_error_that_names_it(
    mail_server: MailServer, storage: Path, outbox_path: Path, content: bytes
) -> None:
    """The mail was accepted once: it is neither sent again, nor kept to be sent again."""
    tell()
    (record,) = records(storage)
    record.write_bytes(content)
    with pytest.raises(ReceiptDamaged, match=record.name) as caught:
        tell()
    assert not caught.value.transient
    assert mail_server.offered == 1
    assert not outbox_path.exists()
