"""Flow runs that fail of two causes: ``python -m benchmarks.flood_runs COUNT WITHIN``.

Prints a line with the cause as each run's first hook begins, before the one that mails.
"""

from __future__ import annotations

import sys
from typing import Any

from prefect import flow

from benchmarks.flood import CAUSES
from prefect_smtp_relay import email_on_failure


def _note(flow: Any, flow_run: Any, state: Any) -> None:
    """The run has failed, and its mail is to be counted or sent."""
    del flow, state
    print(flow_run.id, flow_run.parameters["cause"], flush=True)


def main(count: int, within: str) -> None:
    """Fail so many times, of the two causes by turns."""
    hook = email_on_failure("oncall@example.org", group_within=within, log_lines=0)

    @flow(name="flood", on_failure=[_note, hook])
    def failing(cause: str, number: int) -> None:
        raise ValueError(f"page {number} is {cause}")

    for number in range(count):
        failing(CAUSES[number % 2], number, return_state=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
