"""What the error of many mails says."""

from __future__ import annotations

import pickle

import pytest

from prefect_smtp_relay.delivery.outcome import Outcome, not_accepted
from prefect_smtp_relay.exceptions import (
    EmailError,
    MailsNotAccepted,
    PermanentFailure,
    TransientFailure,
)


def failed(*errors: EmailError) -> MailsNotAccepted:
    """The error of a batch of mails of which each failed."""
    error = not_accepted([Outcome(error=each) for each in errors])
    assert error is not None
    return error


@pytest.mark.parametrize("kind", [PermanentFailure, TransientFailure])
def test_the_whole_is_transient_if_one_of_its_errors_is(
    kind: type[PermanentFailure | TransientFailure],
) -> None:
    """Trying again helps where it may help one of them."""
    error = failed(PermanentFailure("smtp://x.test:25"), kind("smtp://x.test:25"))
    assert error.transient is (kind is TransientFailure)


@pytest.mark.parametrize("given_up", [True, False])
def test_the_whole_is_given_up_if_each_of_its_errors_is(given_up: bool) -> None:
    """A batch is tried again only for a mail that is not given up."""
    error = TransientFailure("smtp://x.test:25").copy(given_up=given_up)
    assert failed(PermanentFailure("smtp://x.test:25"), error).given_up is given_up


def test_the_error_tells_the_first_failures_by_their_places() -> None:
    """Alike ones are told once, and what is too much is counted."""
    texts = ["a.", "b", "a.", "c", "d", "d", "e"]
    error = failed(*map(PermanentFailure, texts))
    assert list(error.errors) == list(range(7))
    assert str(error) == (
        "7 of 7 mails were not accepted. mails[0] and 1 like it: a; mails[1]: b; mails[3]: c;"
        " 2 more errors in `errors`."
    )


def test_the_whole_asks_for_the_longest_wait() -> None:
    """Who tries again later needs to wait for all of them; it survives a pickle."""
    errors = [TransientFailure("sendgrid://x.test", retry_after=wait) for wait in (5.0, None, 60.0)]
    assert failed(errors[1]).retry_after is None
    error = pickle.loads(pickle.dumps(failed(*errors)))  # noqa: S301  # our own bytes
    assert error.retry_after == 60.0
