"""Keys of the mails of a batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from prefect_smtp_relay import send_emails
from prefect_smtp_relay.exceptions import (
    MailsNotAccepted,
    RelayConfigurationError,
    TransientFailure,
)
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.delivery.keys.keyed_flows import KEY, LATER, MAIL, receipts, tell, tell_all
from tests.tasks.bulk_mails import mails_to


def test_mails_of_batches_share_keys_with_each_other_and_with_single_mails(
    mail_server: MailServer,
) -> None:
    """In a batch and over batches one key is one mail; the others go each time."""
    single = tell("a", to="user0@example.org", subject="Mail 0")
    mails = mails_to(4)
    mails[0] |= {"idempotency_key": "a"}
    mails[2] |= {"idempotency_key": "b"}
    first = tell_all([*mails, mails[2]])
    second = tell_all(mails)
    assert first[0] == second[0] == single
    assert first[2] == first[4] == second[2]
    assert mail_server.offered == 1 + 3 + 2


def test_many_keys_in_one_batch(mail_server: MailServer, spool: Path) -> None:
    """Each mail of a large batch has its receipt in the spool, and goes once."""
    mails = [mail | {"idempotency_key": f"k{n}"} for n, mail in enumerate(mails_to(150))]
    first = tell_all(mails)
    assert tell_all(mails) == first
    assert [receipt.accepted for receipt in first] == [(mail["to"],) for mail in mails]
    assert mail_server.offered == len(receipts(spool)) == 150


def test_a_batch_tries_again_what_failed_and_leaves_the_rest(mail_server: MailServer) -> None:
    """A second one of its key shares the error, and the retry's receipt."""
    mails = [mail | {"idempotency_key": f"k{n}"} for n, mail in enumerate(mails_to(3))]
    replies = iter(["", LATER])
    mail_server.data_reply = lambda _: next(replies, None) or None
    receipts = tell_all([*mails, mails[1]], retries=1)
    assert receipts[1] == receipts[3]
    assert mail_server.offered == 4


def test_a_batch_that_fails_tells_each_place(mail_server: MailServer) -> None:
    """Without retries, both places of a key have the error, and the next call tries again."""
    mails = [{**MAIL, "idempotency_key": KEY}] * 2
    mail_server.refused["DATA"] = LATER
    with pytest.raises(MailsNotAccepted) as caught:
        tell_all(mails)
    assert [type(error) for error in caught.value.errors.values()] == [TransientFailure] * 2
    assert mail_server.offered == 1
    mail_server.refused.clear()
    assert len({receipt.message_id for receipt in tell_all(mails)}) == 1
    assert mail_server.offered == 2


def test_a_batch_with_a_broken_spool_sends_what_has_no_key(
    mail_server: MailServer, spool: Path
) -> None:
    """Only the mails with a key fail, before they are submitted."""
    spool.write_text("a file where the folder should be", encoding="utf-8")
    mails = mails_to(3)
    mails[1] |= {"idempotency_key": KEY}
    with pytest.raises(MailsNotAccepted) as caught:
        tell_all(mails)
    assert [type(e) for e in caught.value.errors.values()] == [RelayConfigurationError]
    assert (list(caught.value.receipts), mail_server.offered) == ([0, 2], 2)


def test_what_was_accepted_needs_no_relay(mail_server: MailServer, outbox_path: Path) -> None:
    """In a batch for a relay that does not exist, the mail of a used key has its receipt."""
    first = tell()
    mails = [{**MAIL, "idempotency_key": KEY}, MAIL]
    with pytest.raises(MailsNotAccepted) as caught:
        send_emails.fn(mails, relay="smtp/no-such-block")
    assert caught.value.receipts == {0: first}
    assert len(list(outbox_path.glob("*.eml"))) == 1
    assert mail_server.offered == 1
