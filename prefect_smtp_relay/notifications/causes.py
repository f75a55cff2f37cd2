"""Why runs failed, so that many failures of one cause can be told as one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prefect.client.schemas.objects import State

from prefect_smtp_relay.notifications.parameters import Masker

_ENGINE_WORDS = re.compile(
    r"\A\s*(?:(?:Flow|Task) run encountered an exception:?"
    r"|Execution was interrupted by an unexpected exception:)\s+"
)
_WORD, _DIGIT = re.compile(r"[\w-]+"), re.compile(r"\d")
_CAPITAL_WITHIN = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MAX_TEXT = 120


@dataclass(frozen=True)
class Cause:
    """Why a run failed.

    Args:
        text: the exception's type and text, or what else the state says, masked, in one short line.
        kind: the same for all causes that differ in numbers and ids only.
        state: the state in words, such as ``timed out``.
    """

    text: str
    kind: str
    state: str


def cause_of(state: State[Any], parameters: Mapping[str, Any] | None = None) -> Cause:
    """Say why a run failed.

    Args:
        state: the run's last one, as hooks get it and the Prefect API tells it.
        parameters: the run's: what looks like a secret among them is masked in the text, too.

    Example:
        >>> cause_of(Failed(message="ValueError: page 3 of db-3 is gone")).kind
        'ValueError: page # of # is gone'
    """
    words = say_state(state.name or state.type.value)
    masker = Masker()
    masker.lines(parameters or {})
    message = masker.redact(without_engine_words(state.message or ""))
    line = " ".join(message.split()) or words
    shown = line if len(line) <= _MAX_TEXT else f"{line[:_MAX_TEXT]} …"
    return Cause(shown, without_ids(line), words)


def without_engine_words(message: str) -> str:
    """Take away what Prefect's engine puts before the exception in a state's message."""
    return _ENGINE_WORDS.sub("", message, count=1)


def without_ids(line: str) -> str:
    """Replace numbers and ids, in which failures of one cause differ."""
    return _WORD.sub(lambda word: "#" if _DIGIT.search(word[0]) else word[0], line)


def say_state(name: str) -> str:
    """Write ``TimedOut`` as "timed out"."""
    return _CAPITAL_WITHIN.sub(" ", name).lower()
