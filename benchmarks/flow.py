"""What a mail costs in a real flow, beside prefect-email and an empty task: ``benchmarks.flow``.

A temporary Prefect server and a mail server that accepts everything run on this host, each in a
process of its own; the server counts the requests to its API. The flows take turns in one process.
A figure is the median of several runs: wall-clock time, in which the flow run's own second at its
end is, and CPU time of the flow's process, until the API has its events and log lines (which are
not shown on the terminal).
`socket.getfqdn`, which prefect-email has called for each mail, is answered from memory.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import socket
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest import mock

from benchmarks.mails import DOMAIN
from benchmarks.prefect_api import PrefectApi, own_prefect_api
from benchmarks.proxy import BIND
from benchmarks.report import Goal, Limit, Section
from benchmarks.rounds import in_turns
from benchmarks.smtp.sink import own_sink

if TYPE_CHECKING:
    from benchmarks.flow_contestants import FlowContestant

_LOG = "POST /api/logs/"


@dataclass(frozen=True)
class Cost:
    """What one mail costs.

    Args:
        wall, cpu: milliseconds.
        requests: to the Prefect API, but for the log's, which wait for nobody and hold many lines.
    """

    wall: float
    cpu: float
    requests: float

    @classmethod
    def median(cls, costs: Sequence[Cost]) -> Cost:
        """The median of each figure."""
        figures = ((cost.wall, cost.cpu, cost.requests) for cost in costs)
        return cls(*map(statistics.median, zip(*figures, strict=True)))


def measure(
    contestants: Sequence[FlowContestant], api: PrefectApi, rounds: int, share: float
) -> Mapping[str, Cost]:
    """Run the flows in turns, and give the median cost of a mail in each.

    Args:
        contestants: those that are installed.
        api: the server.
        rounds: how many count.
        share: of the contestants' numbers of mails.
    """

    def run_of(contestant: FlowContestant) -> Callable[[], Cost]:
        count = max(1, round(contestant.mails * share))
        return lambda: _run(contestant, count, api)

    runs = in_turns([run_of(contestant) for contestant in contestants], rounds)
    return {
        contestant.name: Cost.median(costs)
        for contestant, costs in zip(contestants, runs, strict=True)
    }


def _run(contestant: FlowContestant, count: int, api: PrefectApi) -> Cost:
    api.take_count()
    started, cpu_started = time.perf_counter(), time.process_time()
    running = contestant.flow(count)
    if inspect.iscoroutine(running):
        asyncio.run(running)
    wall = time.perf_counter() - started
    _flush()
    cpu = time.process_time() - cpu_started
    requests = api.take_count()
    del requests[_LOG]
    return Cost(wall * 1000 / count, cpu * 1000 / count, requests.total() / count)


def _flush() -> None:
    """Let Prefect hand over the log lines and events that it still has: the run caused them."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all()
    EventsWorker.drain_all()


def print_table(costs: Mapping[str, Cost]) -> None:
    """Print what a mail costs, a line for each contestant."""
    print(f"\n{'a mail':<34}{'wall ms':>10}{'CPU ms':>10}{'API requests':>14}")
    for name, cost in costs.items():
        print(f"{name:<34}{cost.wall:>10.2f}{cost.cpu:>10.2f}{cost.requests:>14.2f}", flush=True)


def judge(costs: Mapping[str, Cost]) -> list[str]:
    """Give a verdict for each goal."""
    from benchmarks import flow_contestants as who

    cpu = {name: cost.cpu for name, cost in costs.items()}
    section = Section("CPU", "ms a mail", cpu, who.PREFECT_EMAIL)
    floor, sync = cpu[who.FLOOR.name], cpu[who.IN_TURN.name]
    one_each = costs[who.FLOOR.name].requests + 1
    limits = [
        Limit("CPU, send_emails of 1,000", cpu[who.THOUSAND.name], 1.5, "ms a mail"),
        Limit("CPU, send_an_email in turn, floor + 6", sync, floor + 6, "ms a mail"),
        Limit(
            "CPU, asend_an_email in turn, 1.5 times sync",
            cpu[who.ASYNC_IN_TURN.name],
            sync * 1.5,
            "ms a mail",
        ),
        Limit(
            "CPU, send_an_email.map, 1.5 times sync", cpu[who.MAPPED.name], sync * 1.5, "ms a mail"
        ),
        *(
            Limit(
                f"Requests, {each.name}, floor + 1", costs[each.name].requests, one_each, "a mail"
            )
            for each in (who.IN_TURN, who.ASYNC_IN_TURN, who.MAPPED)
        ),
    ]
    goal = Goal("CPU, send_emails of 1,000", section, who.THOUSAND, who.PREFECT_EMAIL, 4)
    return [goal.verdict(), *(limit.verdict() for limit in limits)]


def main() -> None:
    """Measure in the open, then print a verdict for each goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flow", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how many runs of each flow count")
    parser.add_argument("--share", type=float, default=1.0, help="of the usual numbers of mails")
    options = parser.parse_args()
    print("The Prefect server makes its database ...", flush=True)
    with own_prefect_api() as api, own_sink(BIND) as (port, _):
        # Loads Prefect, which reads its settings then.
        from benchmarks.flow_contestants import connect, installed

        connect(port)
        costs = measure(installed(), api, options.rounds, options.share)
    print_table(costs)
    print()
    print(*judge(costs), sep="\n")


if __name__ == "__main__":
    with mock.patch.object(socket, "getfqdn", return_value=DOMAIN):
        main()
