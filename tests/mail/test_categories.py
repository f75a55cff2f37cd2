"""The labels of a mail: what is taken, and what is refused before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.mail.categories import read_categories
from prefect_smtp_relay.mail.message import compose


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (None, ()),
        ("", ()),
        ([], ()),
        ("incident", ("incident",)),
        (" incident, night shift ", ("incident", "night shift")),
        (["b", " a "], ("b", "a")),
        (("x" * 255,), ("x" * 255,)),
        ([f"c{number}" for number in range(10)], tuple(f"c{number}" for number in range(10))),
    ],
)
def test_what_is_taken(value: Any, read: tuple[str, ...]) -> None:
    """A list, or a text with commas, in their order and without spaces around them."""
    assert read_categories(value) == read
    draft = compose("ann@example.org", "s", text="t", html="h", categories=value)
    assert draft.categories == read


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([f"c{number}" for number in range(11)], "11, and a mail has up to 10"),
        ("a,b,a", "'a' is there twice"),
        ("a,", "one of them is empty"),
        ("  ", "one of them is empty"),
        (["", "a"], "one of them is empty"),
        (["x" * 256], "one has 256 characters, and up to 255"),
        (["Störung"], "'Störung' contains more than printable ASCII"),
        (["a\r\nb"], "contains more than printable ASCII"),
        ([5], "expected texts, got int"),
        (5, "expected a list of texts, got int"),
        (b"a", "expected a list of texts, got bytes"),
        ({"a": 1}, "expected a list of texts, got dict"),
        (iter(["a"]), "expected a list of texts, got list_iterator"),
    ],
)
def test_what_is_refused(value: Any, text: str) -> None:
    """The error names the argument and what to change."""
    with pytest.raises(MessageError, match=r"^categories: ") as caught:
        compose("ann@example.org", "s", text="t", html="h", categories=value)
    assert text in str(caught.value)
