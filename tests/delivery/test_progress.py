"""What is remembered between the tries of a mail, and for how many task runs."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from prefect_smtp_relay.delivery import progress
from prefect_smtp_relay.delivery.progress import Memory
from prefect_smtp_relay.exceptions import PermanentFailure

_MOST = 3


@pytest.fixture
def memory() -> Memory[str]:
    """A memory for three task runs."""
    return Memory(most_runs=_MOST)


def test_what_is_noted_is_recalled_until_it_is_forgotten(memory: Memory[str]) -> None:
    """The last value of a seed counts, and forgetting it twice does no harm."""
    memory.note("run:0", "first")
    memory.note("run:0", "second")
    assert memory.recall("run:0") == "second"
    memory.forget("run:0")
    memory.forget("run:0")
    assert memory.recall("run:0") is None


def test_each_mail_of_a_run_has_a_value_of_its_own(memory: Memory[str]) -> None:
    """The run itself, its first and its tenth mail are three seeds."""
    for seed in ("run", "run:1", "run:10"):
        memory.note(seed, seed)
    memory.forget("run:1")
    assert [memory.recall(seed) for seed in ("run", "run:1", "run:10")] == ["run", None, "run:10"]


def test_a_blank_seed_is_never_kept(memory: Memory[str]) -> None:
    """A mail with one try only leaves nothing behind that another one would find."""
    memory.note("", "receipt")
    assert memory.recall("") is None
    memory.forget("")


def test_beyond_the_limit_the_oldest_run_is_forgotten(memory: Memory[str]) -> None:
    """Runs that never had their next try do not fill the memory of a process."""
    for number in range(_MOST + 2):
        memory.note(f"run-{number}:0", "receipt")
        memory.note(f"run-{number}:1", "receipt")
    kept = [number for number in range(_MOST + 2) if memory.recall(f"run-{number}:0")]
    assert kept == [2, 3, 4]
    assert memory.recall("run-0:1") is None


def test_a_run_that_goes_on_is_not_the_oldest(memory: Memory[str]) -> None:
    """What counts is when a run was last heard of."""
    for run in ("a", "b", "c", "a", "d"):
        memory.note(f"{run}:0", "receipt")
    assert [run for run in "abcd" if memory.recall(f"{run}:0")] == ["a", "c", "d"]


def test_a_run_does_not_push_out_its_own_mails(memory: Memory[str]) -> None:
    """However many mails a run has, its next try knows all that were accepted."""
    seeds = [f"run:{number}" for number in range(10 * _MOST)]
    for seed in seeds:
        memory.note(seed, seed)
    assert [memory.recall(seed) for seed in seeds] == seeds


def test_runs_that_are_over_do_not_count(memory: Memory[str]) -> None:
    """Forgetting the last mail of a run makes room for another run."""
    memory.note("waiting:0", "receipt")
    for number in range(10 * _MOST):
        memory.note(f"run-{number}:0", "receipt")
        memory.forget(f"run-{number}:0")
    assert memory.recall("waiting:0") == "receipt"


def test_many_threads_may_note_and_forget() -> None:
    """Nobody loses what another thread noted, of the same run or of another."""
    memory: Memory[int] = Memory()

    def work(number: int) -> list[int | None]:
        seeds = [f"{run}:{number}" for run in range(200)]
        for seed in seeds:
            memory.note(seed, number)
        seen = [memory.recall(seed) for seed in seeds]
        for seed in seeds[::2]:
            memory.forget(seed)
        return seen

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(8))) == [[number] * 200 for number in range(8)]
    left = {memory.recall(f"{run}:{number}") for run in range(0, 200, 2) for number in range(8)}
    assert left == {None}
    assert memory.recall("1:7") == 7


def test_what_failed_for_good_is_kept_apart_from_receipts() -> None:
    """A failure is no receipt: who asks for the one does not get the other."""
    seed = f"{uuid.uuid4()}:0"
    progress.failures.note(seed, PermanentFailure("smtp://x.test:25"))
    assert progress.recall(seed) is None
    progress.forget(seed)
    assert isinstance(progress.failures.recall(seed), PermanentFailure)
    progress.failures.forget(seed)
