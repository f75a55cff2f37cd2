"""Parameters are shown without their secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import PurePosixPath
from typing import Any

import pytest
from prefect.blocks.system import Secret
from pydantic import BaseModel, SecretBytes, SecretStr

from prefect_smtp_relay.notifications.parameters import Masker, shorten
from prefect_smtp_relay.transports.masking import MASK

CANARY = "canary-71f0c2"


class Account(BaseModel):
    """A model with a secret by type and one by name."""

    user: str = "ann"
    login: SecretStr = SecretStr(CANARY)
    api_key: str = CANARY


@dataclass
class Target:
    """A dataclass with a secret by name."""

    host: str = "db.example.org"
    password: str = CANARY


class Colour(Enum):
    """An enumeration."""

    RED = "red"


class Telling:
    """An object whose repr tells everything."""

    def __repr__(self) -> str:
        return CANARY


@pytest.mark.parametrize(
    "value",
    [
        SecretStr(CANARY),
        SecretBytes(CANARY.encode()),
        Secret(value=CANARY),
        Account(),
        Target(),
        Telling(),
        [SecretStr(CANARY)],
        {"deep": [{"token": CANARY}]},
        {"token": {"of": [CANARY]}},
        {"block_type_slug": "secret", "value": CANARY},
        CANARY.encode(),
        f"postgresql://ann:{CANARY}@db.example.org/shop",
        lambda: CANARY,
    ],
)
def test_no_secret_is_shown(value: Any) -> None:
    """By type, by name, in models, in lists, in URLs, or in a repr."""
    assert CANARY not in "".join(Masker().lines({"value": value}))


def test_what_is_masked_is_masked_everywhere() -> None:
    """A log line or another parameter that quotes a masked value does not show it."""
    masker = Masker()
    odd = 'pa"ss\\word'
    lines = masker.lines({"first": f"uses {odd}", "password": odd, "token": SecretStr(CANARY)})
    assert lines[0] == f'first = "uses {MASK}"'
    assert masker.redact(f"401 for {CANARY}, {odd!r}") == f"401 for {MASK}, '{MASK}'"


def test_short_and_masked_values_are_not_searched_for() -> None:
    """A password of one letter would black out the whole text, and asterisks hide nothing."""
    masker = Masker()
    masker.lines({"password": "a", "token": "*" * 10})
    assert masker.redact("a banana **********") == "a banana **********"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, "1"),
        (None, "null"),
        (True, "true"),
        ("Zoë", '"Zoë"'),
        (Colour.RED, '"red"'),
        (PurePosixPath("/tmp/x"), '"/tmp/x"'),  # noqa: S108 - only a text
        (datetime(2026, 3, 14, tzinfo=UTC), '"2026-03-14 00:00:00+00:00"'),
        ([1, ("a",)], '[1, ["a"]]'),
        (object(), '"<builtins.object>"'),
        (Telling, '"<'),
    ],
)
def test_plain_values_are_shown(value: Any, shown: str) -> None:
    """Values that hold no secret are written in JSON, other objects by their type."""
    [line] = Masker().lines({"value": value})
    assert line.startswith(f"value = {shown}")


def test_long_values_are_cut() -> None:
    """Long texts, long lists and deep nesting stay one short line."""
    deep: list[Any] = []
    deep.append(deep)
    for value in ("x" * 10_000, list(range(10_000)), deep):
        [line] = Masker().lines({"value": value})
        assert len(line) < 400


def test_text_is_cut_in_the_middle() -> None:
    """Both ends of a traceback stay, and it is said how much is missing."""
    text = shorten("a" * 60 + "b" * 60, 100)
    assert text == f"{'a' * 50} … 20 characters left out … {'b' * 50}"
