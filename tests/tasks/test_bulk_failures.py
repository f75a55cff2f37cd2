"""Many mails, of which some fail for good: what the error holds, and what is kept."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from prefect import State, flow
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_smtp_relay import SMTP, Receipt, send_emails
from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    DeliveryRefused,
    MailsNotAccepted,
    PermanentFailure,
    ProtectedDomain,
    RecipientsRefused,
    RelayLookupFailed,
)
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.testing.memory import InMemoryTransport
from prefect_smtp_relay.transports.waiting import clock, wait_until
from tests.tasks.bulk_mails import connect, mails_to
from tests.tasks.bulk_tries import LATER, NEVER, Script, send_in_vain, stored_ids


@pytest.fixture
def relay(mail_server: MailServer) -> SMTP:
    """The connected relay."""
    return connect(mail_server)


def test_only_permanent_failures_end_the_task_at_once(mail_server: MailServer, relay: SMTP) -> None:
    """Where nothing may pass later, there is no second try."""
    mail_server.refused["user1@example.org"] = "550 5.1.1 no such user"
    error = send_in_vain(mails_to(3), relay)
    assert isinstance(error.errors[1], RecipientsRefused)
    assert mail_server.offered == 2
    assert "1 of 3 mails were not accepted. mails[1]: " in str(error)
    assert stored_ids() == [error.errors[1].message_id]


def test_the_error_survives_a_pickle_with_all_it_holds(
    mail_server: MailServer, relay: SMTP
) -> None:
    """Receipts, errors, their places and codes come back from another process."""
    Script(mail_server, [], [NEVER])
    error = send_in_vain(mails_to(3), relay, retries=0)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own octets
    assert isinstance(copy, MailsNotAccepted)
    assert (str(copy), copy.receipts, copy.transient) == (str(error), error.receipts, False)
    failure = copy.errors[1]
    assert isinstance(failure, PermanentFailure)
    assert (failure.code, failure.kept) == (554, error.errors[1].kept)


def test_bcc_recipients_stand_in_no_error_and_no_log(
    mail_server: MailServer, relay: SMTP, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether refused for now or for good, alone or with others, nobody reads who they are."""
    mail_server.refused |= {"eve@example.org": LATER, "mal@example.org": "550 5.1.1 no such user"}
    mails = mails_to(4)
    mails[0] |= {"bcc": "eve@example.org"}
    mails[1] |= {"to": "", "bcc": "eve@example.org"}
    mails[2] |= {"to": "", "bcc": "mal@example.org"}
    mails[3] |= {"bcc": "mal@example.org, eve@example.org"}
    error = send_in_vain(mails, relay)
    assert (list(error.receipts), list(error.errors)) == ([0, 3], [1, 2])
    shown = [str(error), repr(error), repr(error.receipts), repr(error.errors), caplog.text]
    stored = pickle.dumps(error).decode("latin-1")
    for name in ("eve@", "mal@"):
        assert not [text for text in [*shown, stored] if name in text]


def test_an_outage_that_lasts_keeps_each_mail(outbox_path: Path) -> None:
    """After the only try each mail has its file and its error, and the text tells it once."""
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(
            MailsNotAccepted, match=r"mails\[0\] and 2 like it: the Prefect API"
        ) as caught,
    ):
        send_emails.fn(mails_to(3))
    errors = caught.value.errors.values()
    assert all(isinstance(error, RelayLookupFailed) for error in errors)
    assert caught.value.transient
    assert len({error.message_id for error in errors}) == 3
    assert {str(path) for path in outbox_path.glob("*.eml")} == {error.kept for error in errors}


def test_default_delivery_can_be_refused(
    outbox_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With default_delivery=refuse each mail is an error, and nothing is stored."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_DELIVERY", "refuse")
    error = send_in_vain(mails_to(2))
    assert all(isinstance(e, DeliveryRefused) for e in error.errors.values())
    assert "DEFAULT_DELIVERY=store" in str(error)
    assert not outbox_path.exists()


def test_a_protected_sender_holds_up_only_its_own_mail(
    mail_server: MailServer, relay: SMTP, monkeypatch: pytest.MonkeyPatch, outbox_path: Path
) -> None:
    """The others are accepted; the protected one is neither submitted nor kept."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_PROTECTED_DOMAINS", "corp.example")
    mails = mails_to(3)
    mails[1]["from_"] = "ceo@corp.example"
    error = send_in_vain(mails, relay)
    assert isinstance(error.errors[1], ProtectedDomain)
    assert list(error.receipts) == [0, 2]
    assert mail_server.offered == 2
    assert not outbox_path.exists()


def test_refused_credentials_fail_all_of_them(mail_server: MailServer, outbox_path: Path) -> None:
    """Each mail is kept, with an error of its own, and the server is not asked for each."""
    mail_server.users = {"u": "right"}
    relay = connect(mail_server, username="u", password="wrong")
    error = send_in_vain(mails_to(20), relay)
    assert [type(e) for e in error.errors.values()] == [AuthenticationFailed] * 20
    assert len(list(outbox_path.glob("*.eml"))) == 20
    assert mail_server.connections <= 2
    assert "wrong" not in str(error)


def stored() -> dict[str, bool]:
    """The subjects of what is in the outbox, and whether a relay may have accepted it."""
    entries = open_outbox(current_settings()).entries()
    return {entry.subject: entry.may_be_accepted for entry in entries}


class Interrupted(InMemoryTransport):
    """Takes a message, and is broken off in the second one."""

    def deliver(self, message: Message, envelope: Envelope) -> Receipt:
        """Take the message."""
        receipt = super().deliver(message, envelope)
        if len(self.deliveries) == 2:
            raise KeyboardInterrupt
        return receipt


def test_an_interrupted_batch_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    """The mail that may be accepted, and those that were not submitted, are in the outbox."""
    with pytest.raises(KeyboardInterrupt):
        send_emails.fn(mails_to(4, from_="ops@example.org"), relay=Interrupted(), connections=1)
    assert stored() == {"Mail 1": True, "Mail 2": False, "Mail 3": False}
    assert "of 4 mails 1 have a receipt, 1 may have been accepted, 2 were not" in caplog.text


def test_a_batch_that_takes_too_long_is_kept() -> None:
    """The timeout of the task ends the batch; Prefect does not try again what the outbox has."""

    class Slow(InMemoryTransport):
        def deliver(self, message: Message, envelope: Envelope) -> Receipt:
            if self.deliveries:
                wait_until(clock().now() + 60)
            return super().deliver(message, envelope)

    @flow
    def tell() -> str | None:
        mails = mails_to(3, from_="ops@example.org")
        action = send_emails.with_options(timeout_seconds=1)
        state: State[Any] = action(mails, relay=relay, connections=1, return_state=True)
        return state.name

    relay = Slow()
    assert tell() == "TimedOut"
    assert stored() == {"Mail 1": True, "Mail 2": False}
