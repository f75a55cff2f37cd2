import pickle
from collections.abc import Callable
from datetime import timedelta

import pytest
from pydantic import ValidationError

from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt, Refusal

NO_SUCH_USER = Refusal(code=550, enhanced_code="5.1.1", text="no such user")
BUSY = Refusal(code=450, enhanced_code="4.2.1", text="busy")


@pytest.fixture
def receipt(make_message: Callable[..., Message]) -> Receipt:
    """Write the receipt of a message that not everybody got."""
    message = make_message(
        to="a@x.org, b@x.org", cc="c@x.org", bcc="secret1@x.org, secret2@x.org, secret3@x.org"
    )
    return Receipt.for_message(
        message,
        transport="smtp://mx.example.org:587",
        outcome="accepted",
        accepted=["a@x.org", "c@x.org", "secret1@x.org", "secret2@x.org"],
        refused={"b@x.org": NO_SUCH_USER, "secret3@x.org": BUSY},
        response="250 queued as 1",
        size=1234,
    )


def test_visible_recipients_are_listed(receipt: Receipt) -> None:
    """Who stands in to and cc is listed as accepted or as refused, with the reason."""
    assert receipt.accepted == ("a@x.org", "c@x.org")
    assert receipt.refused == {"b@x.org": NO_SUCH_USER}
    assert receipt.message_id.endswith("@example.com>")
    assert (receipt.outcome, receipt.size, receipt.response) == (
        "accepted",
        1234,
        "250 queued as 1",
    )
    assert receipt.submitted_at.utcoffset() == timedelta(0)


def test_bcc_recipients_are_only_counted(receipt: Receipt) -> None:
    """No address of a Bcc recipient stands anywhere in a receipt."""
    assert (receipt.bcc_accepted, receipt.bcc_refused) == (2, 1)
    for shown in (repr(receipt), str(receipt), receipt.model_dump_json()):
        assert "secret" not in shown


def test_a_recipient_in_to_and_bcc_is_visible(make_message: Callable[..., Message]) -> None:
    """An address that a header shows anyway is listed once, and not counted as Bcc."""
    message = make_message(to="a@x.org", bcc="A@X.ORG, a@x.org")
    receipt = Receipt.for_message(
        message, transport="t", outcome="stored", accepted=["a@x.org", "A@x.org"], size=1
    )
    assert (receipt.accepted, receipt.bcc_accepted) == (("a@x.org",), 1)


def test_a_receipt_survives_json(receipt: Receipt) -> None:
    """A receipt that was stored as JSON comes back equal."""
    assert Receipt.model_validate_json(receipt.model_dump_json()) == receipt


def test_a_receipt_survives_a_pickle(receipt: Receipt) -> None:
    """A receipt comes back from another process as it was."""
    assert pickle.loads(pickle.dumps(receipt)) == receipt  # noqa: S301 - our own octets


def test_a_receipt_does_not_change(receipt: Receipt) -> None:
    """Nobody can turn stored into accepted afterwards."""
    with pytest.raises(ValidationError, match="frozen"):
        receipt.outcome = "stored"  # type: ignore[misc]  # the mistake under test


@pytest.mark.parametrize("outcome", ["sent", "delivered", "queued", ""])
def test_an_outcome_is_accepted_or_stored(outcome: str, receipt: Receipt) -> None:
    """No other word can stand in a receipt."""
    with pytest.raises(ValidationError):
        Receipt.model_validate({**receipt.model_dump(), "outcome": outcome})


@pytest.mark.parametrize(
    ("refusal", "transient", "shown"),
    [
        (NO_SUCH_USER, False, "550 5.1.1 no such user"),
        (BUSY, True, "450 4.2.1 busy"),
        (Refusal(code=552), False, "552"),
    ],
)
def test_a_refusal_speaks_in_the_relays_words(
    refusal: Refusal, transient: bool, shown: str
) -> None:
    """A refusal is transient for 4yz only, and reads as the relay wrote it."""
    assert (refusal.transient, str(refusal)) == (transient, shown)
