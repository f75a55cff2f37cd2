"""What is remembered between the tries of a mail, and for how many task runs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from prefect_smtp_relay.delivery.retry_state import NOTHING, RetryState, RetryStates

_MAX = 3


def state(name: str) -> RetryState:
    """A state that is told from others."""
    return RetryState(run_id=name)


@pytest.fixture
def memory() -> RetryStates:
    """A memory for three task runs."""
    return RetryStates(max_runs=_MAX)


def test_what_is_noted_is_recalled_until_it_is_forgotten(memory: RetryStates) -> None:
    """The last value of a seed counts, and forgetting it twice does no harm."""
    memory.note("run:0", state("first"))
    memory.note("run:0", state("second"))
    assert memory.recall("run:0") == state("second")
    memory.forget("run:0")
    memory.forget("run:0")
    assert memory.recall("run:0") == NOTHING


def test_each_mail_of_a_run_has_a_value_of_its_own(memory: RetryStates) -> None:
    """The run itself, its first and its tenth mail are three seeds."""
    for seed in ("run", "run:1", "run:10"):
        memory.note(seed, state(seed))
    memory.forget("run:1")
    recalled = [memory.recall(seed) for seed in ("run", "run:1", "run:10")]
    assert recalled == [state("run"), NOTHING, state("run:10")]


def test_an_empty_seed_is_never_kept(memory: RetryStates) -> None:
    """A mail with one try only leaves nothing behind that another one would find."""
    memory.note("", state("receipt"))
    assert memory.recall("") == NOTHING
    memory.forget("")


def test_beyond_the_limit_the_oldest_run_is_forgotten(memory: RetryStates) -> None:
    """Runs that never had their next try do not fill the memory of a process."""
    for number in range(_MAX + 2):
        memory.note(f"run-{number}:0", state("receipt"))
        memory.note(f"run-{number}:1", state("receipt"))
    kept = [number for number in range(_MAX + 2) if memory.recall(f"run-{number}:0") != NOTHING]
    assert kept == [2, 3, 4]
    assert memory.recall("run-0:1") == NOTHING


def test_a_run_that_goes_on_is_not_the_oldest(memory: RetryStates) -> None:
    """What counts is when a run was last heard of."""
    for run in ("a", "b", "c", "a", "d"):
        memory.note(f"{run}:0", state("receipt"))
    assert [run for run in "abcd" if memory.recall(f"{run}:0") != NOTHING] == ["a", "c", "d"]


def test_a_run_does_not_push_out_its_own_mails(memory: RetryStates) -> None:
    """However many mails a run has, its next try knows all that were accepted."""
    seeds = [f"run:{number}" for number in range(10 * _MAX)]
    for seed in seeds:
        memory.note(seed, state(seed))
    assert [memory.recall(seed) for seed in seeds] == [state(seed) for seed in seeds]


def test_runs_that_are_over_do_not_count(memory: RetryStates) -> None:
    """Forgetting the last mail of a run makes room for another run."""
    memory.note("waiting:0", state("receipt"))
    for number in range(10 * _MAX):
        memory.note(f"run-{number}:0", state("receipt"))
        memory.forget(f"run-{number}:0")
    assert memory.recall("waiting:0") == state("receipt")


def test_many_threads_may_note_and_forget() -> None:
    """Nobody loses what another thread noted, of the same run or of another."""
    memory: RetryStates = RetryStates()

    def work(number: int) -> list[RetryState]:
        seeds = [f"{run}:{number}" for run in range(200)]
        for seed in seeds:
            memory.note(seed, state(str(number)))
        seen = [memory.recall(seed) for seed in seeds]
        for seed in seeds[::2]:
            memory.forget(seed)
        return seen

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(8))) == [
            [state(str(number))] * 200 for number in range(8)
        ]
    left = {memory.recall(f"{run}:{number}") for run in range(0, 200, 2) for number in range(8)}
    assert left == {NOTHING}
    assert memory.recall("1:7") == state("7")
