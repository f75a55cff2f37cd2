"""A mail with a large file: what it costs the process that submits it, and its event loop."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import anyio.to_thread

from benchmarks.line import Target
from benchmarks.mails import Mail, distinct_mails
from benchmarks.rounds import Contestant, in_turns
from benchmarks.smtp.contestants import ONE_BY_ONE, PREFECT_EMAIL
from benchmarks.smtp.others import prefect_email_sender
from benchmarks.smtp.ours import deliver_each, transport_to

Send = Callable[[Mail], Coroutine[Any, Any, object]]

_TICK_SECONDS = 0.001


def cpu_milliseconds(send: Send, mail: Mail) -> float:
    """The time on processors of this process, all its threads."""
    started = time.process_time()
    asyncio.run(send(mail))
    return (time.process_time() - started) * 1000


def peak_megabytes(send: Send, mail: Mail) -> float:
    """The most memory that Python held at once, above what it held before."""
    tracemalloc.start()
    try:
        asyncio.run(send(mail))
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def longest_stall(send: Send, mail: Mail) -> float:
    """The longest time between two ticks of the event loop, due each millisecond."""
    return asyncio.run(_longest_stall(send(mail))) * 1000


async def _longest_stall(sending: Coroutine[Any, Any, object]) -> float:
    task = asyncio.create_task(sending)
    longest, last = 0.0, time.perf_counter()
    while not task.done():
        await asyncio.sleep(_TICK_SECONDS)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    await task
    return longest


COSTS = {
    "CPU ms": cpu_milliseconds,
    "peak MB": peak_megabytes,
    "stall ms": longest_stall,
}


def cost_of_a_file(
    contestants: Sequence[Contestant], target: Target, rounds: int, file: Path
) -> dict[str, Mapping[str, float]]:
    """Measure each cost in runs of its own, the contestants in turns.

    Args:
        contestants: ours and prefect-email, where that is installed.
        target: where they submit to.
        rounds: how many count, for each cost.
        file: what is attached.

    Returns:
        The medians, by cost and by the contestant's name.
    """
    senders = {contestant.name: _SENDERS[contestant](target) for contestant in contestants}

    def medians(cost: Callable[[Send, Mail], float]) -> Mapping[str, float]:
        def subject(send: Send) -> Callable[[], float]:
            return lambda: cost(send, distinct_mails(1, attachment=file)[0])

        answers = in_turns([subject(send) for send in senders.values()], rounds)
        return {name: median(values) for name, values in zip(senders, answers, strict=True)}

    return {name: medians(cost) for name, cost in COSTS.items()}


def _our_sender(target: Target) -> Send:
    """Compose and deliver in a worker thread, as `asend_an_email` does."""
    transport = transport_to(target)

    async def send(mail: Mail) -> None:
        await anyio.to_thread.run_sync(deliver_each, transport, [mail])

    return send


_SENDERS: Mapping[Contestant, Callable[[Target], Send]] = {
    ONE_BY_ONE: _our_sender,
    PREFECT_EMAIL: prefect_email_sender,
}
