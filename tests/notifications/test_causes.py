"""Failures of one cause are told as one."""

from __future__ import annotations

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Crashed, Failed

from prefect_smtp_relay import cause_of


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (Failed(message="Flow run encountered an exception: ValueError: no"), "ValueError: no"),
        (Failed(message="Task run encountered an exception ValueError: no"), "ValueError: no"),
        (
            Crashed(message="Execution was interrupted by an unexpected exception: OSError: gone"),
            "OSError: gone",
        ),
        (Failed(message="ValueError:\n  two\n  lines"), "ValueError: two lines"),
        (Failed(message="db://user:s3cret-7c1f@host is down"), "db://user:********@host is down"),
        (Failed(name="TimedOut"), "timed out"),
        (Failed(message="x" * 500), "x" * 120 + " …"),
    ],
)
def test_a_cause_is_one_short_line(state: State[object], text: str) -> None:
    """It is the exception without the engine's words and without secrets, or the state."""
    assert cause_of(state).text == text


@pytest.mark.parametrize("character", ["x", "-", " ", "1"])
def test_the_cause_of_a_very_long_message_is_found_in_time(character: str) -> None:
    """An exception may quote a megabyte that no space or digit parts."""
    assert len(cause_of(Failed(message=character * 1_000_000)).text) <= 122


def test_a_secret_parameter_is_masked_where_the_exception_quotes_it() -> None:
    """As in the report of the run itself."""
    state: State[object] = Failed(message="ValueError: hunter2-x7q is not accepted")
    assert (
        cause_of(state, {"password": "hunter2-x7q"}).text == "ValueError: ******** is not accepted"
    )


def test_numbers_and_ids_make_no_other_kind() -> None:
    """What differs in them only is of one kind; another exception is of another."""
    kinds = [
        cause_of(Failed(message=message)).kind
        for message in (
            "ValueError: page 3 of db-3 is missing, run 0b9cbd3c-5c0a-5a58-8d4b-7c4c0a7b2b11",
            "ValueError: page 40 of db-41 is missing, run 1f6dcb1e-7d3a-4f0e-9c55-2a4b8f3f7e10",
            "KeyError: page 3 of db-3 is missing, run 0b9cbd3c-5c0a-5a58-8d4b-7c4c0a7b2b11",
        )
    ]
    assert kinds[0] == kinds[1] != kinds[2]
    long = [cause_of(Failed(message=f"page {n} of {'x' * 120}")).kind for n in (9, 10)]
    assert long[0] == long[1]
