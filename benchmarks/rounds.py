"""Measuring in turns, so that what else the machine does hits all contestants alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.line import Target
from benchmarks.mails import Mail, distinct_mails

Turn = Callable[[Sequence[Mail]], float]
"""Builds and submits these mails, and says how many seconds that took."""

T = TypeVar("T")


@dataclass(frozen=True)
class Contestant:
    """One way to submit mails.

    Args:
        name: for the table.
        opened: makes ready for a turn, which is not measured: a session where one is kept.
        far_mails, near_mails: of a turn, on a long line and on loopback; the faster, the more.
    """

    name: str
    opened: Callable[[Target], AbstractContextManager[Turn]]
    far_mails: int
    near_mails: int


def timed(submit: Callable[[Sequence[Mail]], object]) -> Turn:
    """Make a turn of what submits mails."""

    def turn(mails: Sequence[Mail]) -> float:
        started = time.perf_counter()
        submit(mails)
        return time.perf_counter() - started

    return turn


def in_turns(subjects: Sequence[Callable[[], T]], rounds: int) -> list[list[T]]:
    """Ask each subject once a round, and give the answers of each; a first round is for nothing.

    Args:
        subjects: each begins a round as often as the others.
        rounds: how many count.
    """
    answers: list[list[T]] = [[] for _ in subjects]
    for number in range(-1, rounds):
        for offset in range(len(subjects)):
            place = (number + offset) % len(subjects)
            answer = subjects[place]()
            if number >= 0:
                answers[place].append(answer)
    return answers


def milliseconds_per_mail(
    contestants: Sequence[Contestant],
    target: Target,
    rounds: int,
    mails: int | None = None,
    recipients: int = 1,
) -> Mapping[str, float]:
    """Let the contestants submit in turns, and give the median of each.

    Args:
        contestants: those that are installed.
        target: where they submit to.
        rounds: how many count.
        mails: of each turn; None: what each contestant says.
        recipients: of each mail.
    """

    def turn_of(contestant: Contestant) -> Callable[[], float]:
        by_distance = contestant.far_mails if target.is_far else contestant.near_mails
        count = mails or by_distance

        def turn() -> float:
            with contestant.opened(target) as submit:
                return submit(distinct_mails(count, recipients)) * 1000 / count

        return turn

    answers = in_turns([turn_of(contestant) for contestant in contestants], rounds)
    return {
        contestant.name: statistics.median(times)
        for contestant, times in zip(contestants, answers, strict=True)
    }
