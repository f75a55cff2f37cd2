"""Many failures, few mails: ``python -m benchmarks.flood [--runs 500] [--kills 0]``.

Flow runs of two causes fail in several processes, some of which are killed with -9 and begun
again, against a real Prefect server and a mail server, while a served deployment of
``send-grouped`` sends the summaries. Then it is compared what failed with what was mailed.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from benchmarks.prefect_api import own_prefect_api
from benchmarks.processes import running
from prefect_smtp_relay.testing.mail_server import MailServer

CAUSES = ("refused", "gone")

_UI = "http://127.0.0.1:4200"
_COUNT = re.compile(r"failed (\d+)(?: more)? times?")
_PAGE = re.compile(re.escape(_UI) + r"/runs\?[^\s>\")]+")
_RUN = re.compile(re.escape(_UI) + r"/runs/flow-run/([0-9a-f-]{36})")
_SUMMARY_SECONDS = 600


@dataclass
class Failed:
    """What has failed, as the runs' own hooks say, and when they said it.

    Args:
        causes: by the run's id.
        began_at: the moment of each cause's first failure.
        killed: how many processes were killed.
    """

    causes: dict[str, str] = field(default_factory=dict)
    began_at: dict[str, float] = field(default_factory=dict)
    killed: int = 0

    def note(self, line: str) -> None:
        """Take a line of a process."""
        run_id, cause = line.split()
        self.began_at.setdefault(cause, time.monotonic())
        self.causes[run_id] = cause


@dataclass(frozen=True)
class Mail:
    """What arrived.

    Args:
        cause: of the two.
        count: how many failures it tells; 1 for one that went out at once.
        is_summary: whether it tells of what was counted.
        page: the address of the list of its runs.
        linked: ids of the runs that it links to.
        at: the moment.
    """

    cause: str
    count: int
    is_summary: bool
    page: str
    linked: frozenset[str]
    at: float


class TimedServer(MailServer):
    """A mail server that notes when each mail came."""

    def __init__(self) -> None:
        super().__init__(data_reply=self._note)
        self.moments: list[float] = []

    def _note(self, message_id: str) -> str | None:
        del message_id
        self.moments.append(time.monotonic())
        return None

    def received(self) -> list[Mail]:
        """What arrived, in its order."""
        return [
            _read(str(mail.message.get_body(("plain",)).get_content()), at)  # type: ignore[union-attr]  # it has one
            for mail, at in zip(self.mails, self.moments, strict=False)
        ]


def _read(text: str, at: float) -> Mail:
    line = " ".join(text.split())
    cause = next(cause for cause in CAUSES if f"is {cause}" in line)
    count, page = _COUNT.search(line), _PAGE.search(text)
    return Mail(
        cause,
        int(count[1]) if count else 1,
        count is not None,
        page[0] if page else "",
        frozenset(_RUN.findall(text)),
        at,
    )


def _fail(count: int, within: str, kills: int, seed: int, failed: Failed) -> None:
    """Run a process until it has failed so often, and kill it at random moments meanwhile."""
    chance, done = random.Random(seed), 0  # noqa: S311  # moments, not secrets
    stops = sorted(chance.sample(range(1, count), kills)) if kills else []
    while done < count:
        command = [sys.executable, "-m", "benchmarks.flood_runs", str(count - done), within]
        with running(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            for line in process.stdout or ():
                failed.note(line)
                done += 1
                if stops and done >= stops[0]:
                    stops.pop(0)
                    time.sleep(chance.random() * 0.2)  # anywhere in the hook that mails
                    os.kill(process.pid, signal.SIGKILL)
                    failed.killed += 1
                    break


def _fail_in_processes(options: argparse.Namespace, failed: Failed) -> None:
    each = options.runs // options.processes
    threads = [
        threading.Thread(
            target=_fail,
            args=(each, options.within, options.kills // options.processes, seed, failed),
        )
        for seed in range(options.processes)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def _stage() -> Iterator[TimedServer]:
    """A Prefect server with a relay and the deployment, and the mail server."""
    server = TimedServer()
    with own_prefect_api(), server:
        os.environ |= {"PREFECT_UI_URL": _UI, "PREFECT_RUNNER_POLL_FREQUENCY": "2"}
        from prefect_smtp_relay import SMTP

        SMTP(address=server.host, port=server.port, ssl=False, from_address="ops@example.org").save(
            "main"
        )
        with running([sys.executable, "-m", "benchmarks.flood_sender"]):
            _wait_for(_is_deployed)
            yield server


def _is_deployed() -> bool:
    from prefect_smtp_relay.runtime.requests import request

    return bool(request("POST", "/deployments/filter", json={}).json())


def _is_quiet() -> bool:
    """Whether nothing waits to be told."""
    from prefect_smtp_relay.notifications.grouping.group import Group
    from prefect_smtp_relay.notifications.grouping.kind import PREFIX

    return not any(group.runs for group in Group.read_all(PREFIX).values())


def _wait_for(ask: object) -> bool:
    give_up_at = time.monotonic() + _SUMMARY_SECONDS
    while time.monotonic() < give_up_at:
        if callable(ask) and ask():
            return True
        time.sleep(1)
    return False


def _reachable(mails: list[Mail]) -> set[str]:
    """The ids of the runs that the mails link to, or that the lists show to which they link."""
    from prefect_smtp_relay.runtime.requests import request

    found = {run_id for mail in mails for run_id in mail.linked}
    for page in {mail.page for mail in mails if mail.page}:
        query = parse_qs(urlsplit(page).query)
        wanted = {
            "state": {"name": {"any_": query["state"]}},
            "expected_start_time": {"after_": query["start"][0], "before_": query["end"][0]},
        }
        for offset in range(0, 100_000, 200):
            body = {"flow_runs": wanted, "flows": {"id": {"any_": query["flows"]}}}
            runs = request("POST", "/flow_runs/filter", json=body | {"offset": offset}).json()
            found |= {run["id"] for run in runs}
            if len(runs) < 200:
                break
    return found


def _report(failed: Failed, mails: list[Mail], took: float, options: argparse.Namespace) -> bool:
    happened = Counter(failed.causes.values())
    told: Counter[str] = Counter()
    for mail in mails:
        told[mail.cause] += mail.count
    summaries = sum(mail.is_summary for mail in mails)
    unreachable = set(failed.causes) - _reachable(mails)
    print(f"{len(failed.causes)} flow runs failed in {took:.0f} s, {options.processes} processes,")
    print(f"group_within {options.within}, {failed.killed} processes killed with -9")
    print(f"mails: {len(mails)}, of which {summaries} summaries")
    for cause in CAUSES:
        first = min((mail.at for mail in mails if mail.cause == cause), default=float("inf"))
        after = first - failed.began_at[cause]
        print(f"{cause}: {happened[cause]} failed, {told[cause]} told; first mail {after:.1f} s")
    print(f"runs that no link of a mail leads to: {len(unreachable)}")
    missed = sum((happened - told).values())
    return missed <= failed.killed and len(unreachable) <= failed.killed and not told - happened


def main(arguments: list[str] | None = None) -> bool:
    """Measure, print, and say whether what was mailed is what failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--within", default="2m")
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args(arguments)
    failed = Failed()
    with _stage() as server:
        began = time.monotonic()
        _fail_in_processes(options, failed)
        took = time.monotonic() - began
        _wait_for(_is_quiet)
        return _report(failed, server.received(), took, options)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
