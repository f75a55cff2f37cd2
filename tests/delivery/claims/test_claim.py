"""Claims to a key, in each store: one of many has it, until it ends with a receipt or without."""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.delivery.claim import Claim, Record
from prefect_smtp_relay.delivery.keys import Keys
from prefect_smtp_relay.exceptions import OutcomeUnknown, ReceiptLookupFailed, TransientFailure
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.spool import Spool, open_spool
from prefect_smtp_relay.spool.lease import Lease
from tests.delivery.other_process import another_process

NAME = "keys/ab/abc"
RECEIPT = Receipt(
    message_id="<1@example.org>",
    transport="memory:",
    outcome="accepted",
    size=1,
    submitted_at=datetime.now(UTC),
)


def claim(spool: Spool, *, keeps_unknown: bool = False) -> Claim | Record:
    """Claim the key."""
    return Claim.of(spool, NAME, keeps_unknown=keeps_unknown)


def own(spool: Spool, *, keeps_unknown: bool = False) -> Claim:
    """Claim the key, which must be possible."""
    found = claim(spool, keeps_unknown=keeps_unknown)
    assert isinstance(found, Claim)
    return found


def receipt_in(found: Claim | Record) -> Receipt | None:
    """The receipt that was found in place of a claim."""
    assert isinstance(found, Record)
    return found.receipt


def die_with_a_claim(spool: Spool) -> None:
    """Claim the key, and end without a word about it."""
    with another_process():
        own(spool)


def test_of_many_threads_one_has_the_claim(spool: Spool) -> None:
    """The others are told that this process has it."""
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: claim(spool), range(8)))
    assert sum(isinstance(each, Claim) for each in found) == 1
    assert {each.process for each in found if isinstance(each, Record)} == {"this process"}


def test_a_claim_of_another_process_that_is_alive_is_respected(spool: Spool) -> None:
    """Whoever finds it is told which process it is."""
    mine = own(spool)
    with another_process():
        found = claim(spool)
        assert isinstance(found, Record)
        assert str(os.getpid()) in found.process
    mine.release()


def test_a_recorded_receipt_is_found(spool: Spool) -> None:
    """By this process and by others, as often as they ask, until it is too old."""
    own(spool).record(RECEIPT, "content")
    assert receipt_in(claim(spool)) == RECEIPT
    with another_process():
        assert receipt_in(claim(spool)) == RECEIPT


def test_a_claim_that_was_given_back_leaves_nothing(spool: Spool) -> None:
    """Nobody has the mail, so the next one may try."""
    own(spool).release()
    assert not spool.list("keys/ab")
    assert own(spool).place == NAME


def test_a_claim_whose_process_ended_is_taken_over_by_one(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    """Of two takers, the other one finds the claim of the first; its receipt is the key's."""
    die_with_a_claim(spool)
    taken = own(spool)
    assert "which" in caplog.text
    assert "It is submitted again, with the same Message-ID." in caplog.text
    with another_process():
        assert isinstance(claim(spool), Record)
    taken.record(RECEIPT, "content")
    with another_process():
        assert receipt_in(claim(spool)) == RECEIPT


def test_a_claim_whose_process_ended_stays_where_the_setting_says_so(spool: Spool) -> None:
    """Nobody knows what became of the mail, and it stays like that."""
    die_with_a_claim(spool)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown, match="may have been accepted"):
            claim(spool, keeps_unknown=True)


def test_an_unknown_outcome_is_for_others_to_decide(spool: Spool) -> None:
    """The process that submitted the mail may go on as well, under the next claim."""
    own(spool).leave()
    with pytest.raises(OutcomeUnknown):
        claim(spool, keeps_unknown=True)
    assert own(spool).place == f"{NAME}.2"


def test_a_taker_that_gives_back_does_not_hide_the_unknown_outcome(spool: Spool) -> None:
    """What the first one submitted may still be accepted."""
    own(spool).leave()
    own(spool).release()
    with pytest.raises(OutcomeUnknown):
        claim(spool, keeps_unknown=True)


def test_a_paused_claim_is_this_process_s(spool: Spool) -> None:
    """The next try has it again; others find somebody who is alive."""
    first = own(spool)
    first.pause()
    with another_process():
        assert isinstance(claim(spool), Record)
    assert claim(spool) is first


class Late(Lease):
    """A lease whose owner writes the receipt, and ends, while somebody asks whether it did."""

    def __init__(self, spool: Spool, lease: Lease) -> None:
        self.__dict__ |= lease.__dict__
        self._spool = spool

    def is_dead(self, lease_id: str) -> bool:
        """End."""
        del lease_id
        self._spool.replace(NAME, Record(receipt=RECEIPT).as_bytes())
        return True


def test_a_receipt_that_comes_while_its_owner_ends_is_not_overlooked(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner was alive when the claim was read, and gone when its lease was looked for."""
    spool.create(NAME, Record(owner="somebody", process="a host").as_bytes())
    monkeypatch.setattr(Spool, "lease", Late(spool, spool.lease))
    first = claim(spool)
    assert not isinstance(first, Claim)
    assert receipt_in(claim(spool)) == RECEIPT


@pytest.mark.parametrize("operation", ["create", "read"])
def test_a_store_that_does_not_answer_is_a_transient_error(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """Nothing was submitted, and the key is not this process's."""
    own(spool).record(RECEIPT, "content")

    def fail(*_: Any, **__: Any) -> None:
        raise TransientFailure(spool.name, "the store did not answer.", stage="store")

    with monkeypatch.context() as patch:
        patch.setattr(Spool, operation, fail)
        with pytest.raises(ReceiptLookupFailed, match="Nothing was submitted") as caught:
            claim(spool)
    assert caught.value.transient
    assert receipt_in(claim(spool)) == RECEIPT


def test_a_receipt_that_cannot_be_written_leaves_the_claim(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is an ERROR in the log; this process knows the receipt, and others do not get the key."""
    mine = own(spool)

    def fail(*_: Any, **__: Any) -> None:
        raise TransientFailure(spool.name, "the store did not answer.", stage="store")

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "replace", fail)
        mine.record(RECEIPT, "content")
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
    assert receipt_in(claim(spool)) == RECEIPT
    with another_process():
        assert receipt_in(claim(spool)) is None


def test_old_keys_are_removed_in_passing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of sixteen claims removes what its folder has of keys that nobody used for long."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL", str(tmp_path))
    spool = open_spool(str(tmp_path))
    for name in ("ab1", "ab1.2", "ab2", "ab3", "ab3.2"):
        spool.create(f"keys/ab/{name}", name.encode())
    for name in ("ab1", "ab1.2", "ab3"):
        os.utime(tmp_path / "keys" / "ab" / name, (0, 0))
    keys = Keys(current_settings(), 1)
    keys.claim("abc")
    assert len(spool.list("keys/ab")) == 6
    keys.claim("ab0")
    left = {entry.key.rpartition("/")[2] for entry in spool.list("keys/ab")}
    assert left == {"ab0", "ab2", "ab3", "ab3.2", "abc"}
