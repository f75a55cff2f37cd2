"""What the error of many mails says."""

from __future__ import annotations

import pickle

import pytest

from prefect_smtp_relay.delivery.batch import not_accepted
from prefect_smtp_relay.exceptions import PermanentFailure, TransientFailure


@pytest.mark.parametrize("kind", [PermanentFailure, TransientFailure])
def test_the_whole_is_transient_if_one_of_its_errors_is(
    kind: type[PermanentFailure | TransientFailure],
) -> None:
    """Trying again helps where it may help one of them."""
    errors = {0: PermanentFailure("smtp://x.test:25"), 5: kind("smtp://x.test:25")}
    assert not_accepted(9, {}, errors).transient is (kind is TransientFailure)


def test_the_error_tells_the_first_failures_by_their_places() -> None:
    """Alike ones are told once, and what is too much is counted."""
    texts = ["a.", "b", "a.", "c", "d", "d", "e"]
    errors = {n: PermanentFailure(text) for n, text in enumerate(texts)}
    error = not_accepted(9, {}, dict(reversed(errors.items())))
    assert list(error.errors) == list(range(7))
    assert str(error) == (
        "7 of 9 mails were not accepted. mails[0] and 1 like it: a; mails[1]: b; mails[3]: c;"
        " 2 more errors in `errors`."
    )


def test_the_whole_asks_for_the_longest_wait() -> None:
    """Who tries again later needs to wait for all of them; it survives a pickle."""
    errors = {number: TransientFailure("sendgrid://x.test") for number in range(3)}
    assert not_accepted(3, {}, errors).retry_after is None
    errors[0].retry_after, errors[2].retry_after = 5.0, 60.0
    error = pickle.loads(pickle.dumps(not_accepted(3, {}, errors)))  # noqa: S301 - our own octets
    assert error.retry_after == 60.0
