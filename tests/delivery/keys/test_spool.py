"""What the spool holds of a key, and what happens where it fails."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from prefect_smtp_relay.exceptions import ReceiptDamaged, RelayConfigurationError
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.delivery.keys.keyed_flows import logged, records, tell


def test_the_record_names_neither_the_key_nor_bcc(mail_server: MailServer, spool: Path) -> None:
    """File names and contents hold no key, no Bcc recipient and no body."""
    tell("canary-key", bcc="canary-bcc@example.org", body="canary-body")
    files = [path for path in spool.rglob("*") if path.is_file()]
    assert records(spool)
    assert not [f for f in files if "canary" in f.name or b"canary" in f.read_bytes()]
    assert mail_server.mails[0].forward_paths[1] == "canary-bcc@example.org"


def test_a_spool_that_cannot_be_written_stops_the_mail(
    mail_server: MailServer, spool: Path
) -> None:
    """Before the submission it is an error that names the setting."""
    spool.write_text("a file where the directory should be", encoding="utf-8")
    with pytest.raises(RelayConfigurationError, match=f"spool: cannot use {spool}"):
        tell()
    assert mail_server.offered == 0


def test_a_spool_that_fails_after_the_mail_does_not_fail_the_send(
    mail_server: MailServer, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After the acceptance it is an ERROR in the log, and nothing is tried again."""

    def break_spool(_: str) -> None:
        spool.rename(spool.with_name("gone"))
        spool.write_text("a file where the directory should be", encoding="utf-8")

    mail_server.data_reply = break_spool
    receipt = tell(retries=2)
    (error,) = logged(caplog, logging.ERROR)
    assert f"{receipt.message_id} was accepted, but its receipt could not be written" in error
    assert mail_server.offered == 1


@pytest.mark.parametrize("content", [b"", b'{"receipt": {"mess', b"[1]", b"\xff\xfe"])
def test_a_damaged_record_is_an_error_that_names_it(
    mail_server: MailServer, spool: Path, content: bytes
) -> None:
    """The mail was submitted once: it is neither sent again, nor kept to be sent again."""
    tell()
    (record,) = records(spool)
    record.write_bytes(content)
    with pytest.raises(ReceiptDamaged, match=record.name) as caught:
        tell()
    assert not caught.value.transient
    assert not caught.value.kept
    assert mail_server.offered == 1
