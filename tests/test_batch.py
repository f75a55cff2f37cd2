"""What the error of many mails says."""

from __future__ import annotations

import pytest

from prefect_smtp_relay.batch import not_accepted
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
