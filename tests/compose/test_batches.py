"""Many mails are split into batches, which tasks of their own submit."""

from __future__ import annotations

import pytest

from prefect_smtp_relay import in_batches
from prefect_smtp_relay.exceptions import MessageError
from tests.tasks.bulk_mails import mails_to

MAILS = mails_to(7)


@pytest.mark.parametrize(
    ("size", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (8, [7]), (500, [7])]
)
def test_every_mail_is_in_one_batch_in_its_order(size: int, sizes: list[int]) -> None:
    """All batches but the last have the wanted size; together they are the mails."""
    batches = in_batches(MAILS, size)
    assert [len(batch) for batch in batches] == sizes
    assert [mail for batch in batches for mail in batch] == MAILS


def test_no_mails_are_no_batches() -> None:
    """An empty list starts no task."""
    assert in_batches([]) == []


@pytest.mark.parametrize("size", [0, -1, 2.5, "500", None])
def test_a_size_that_is_not_a_positive_whole_number(size: object) -> None:
    """The error names the argument."""
    with pytest.raises(MessageError, match=r"^size: expected a whole number above 0, got "):
        in_batches(MAILS, size)  # type: ignore[arg-type]  # what a caller may write


@pytest.mark.parametrize("mails", ["ann@example.org", {"to": "ann@example.org"}, iter(MAILS)])
def test_mails_that_are_not_a_list(mails: object) -> None:
    """A text, one mail, or a generator is refused as by the task."""
    with pytest.raises(MessageError, match=r"^mails: expected a list of mappings"):
        in_batches(mails)  # type: ignore[arg-type]  # what a caller may write
