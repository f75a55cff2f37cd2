"""How much memory and time very many mails take in one flow: ``python -m benchmarks.many``.

`in_batches` and `send_emails.map` spread them over the threads of one process, which is measured:
first with the mails of one batch, so that all is loaded, then with all of them.
"""

from __future__ import annotations

import argparse
import resource
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.mails import DOMAIN
from benchmarks.prefect_api import own_prefect_api
from benchmarks.proxy import BIND
from benchmarks.report import Limit
from benchmarks.smtp.sink import own_sink

_SIZE = 500
_THREADS = 2
_MAX_MIB = 64.0


class PeakMemory:
    """The most memory of this process while a block runs, above what it had before, in MiB."""

    def __enter__(self) -> PeakMemory:
        self.mib = 0.0
        self._before = _resident()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            self.mib = max(self.mib, _resident() - self._before)


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def mails(count: int) -> list[dict[str, Any]]:
    """Make mails as a team writes them: each to one person, with a text of its own."""
    return [
        {
            "to": f"user{n}@{DOMAIN}",
            "subject": f"Maintenance tonight, account {n}",
            "body": f"# Maintenance\n\nAccount **{n}** is read-only from 22:00 to 23:00 UTC.",
        }
        for n in range(count)
    ]


def main() -> None:
    """Measure, and print a verdict for the memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many", description=__doc__)
    parser.add_argument("--mails", type=int, default=50_000)
    options = parser.parse_args()
    with own_prefect_api(), own_sink(BIND) as (port, _):
        from benchmarks.many_flow import connect, spread

        connect(port)
        spread(mails(_SIZE), _SIZE, _THREADS)
        wanted = mails(options.mails)
        started = time.perf_counter()
        with PeakMemory() as peak:
            count = spread(wanted, _SIZE, _THREADS)
        seconds = time.perf_counter() - started
    print(f"{count} mails in {seconds:.0f} s, {1000 * seconds / count:.2f} ms a mail")
    print(Limit("Memory over the mails themselves", peak.mib, _MAX_MIB, "MiB").verdict())


if __name__ == "__main__":
    main()
