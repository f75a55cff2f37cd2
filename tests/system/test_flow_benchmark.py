"""``python -m benchmarks.flow`` with a few mails, a Prefect server and a mail server of its own."""

from __future__ import annotations

import subprocess
import sys

_MINUTES = 5


def test_every_flow_has_its_cost_and_every_goal_its_verdict() -> None:
    """The flows mail, the API's requests are counted, and each goal is judged."""
    command = [sys.executable, "-m", "benchmarks.flow", "--rounds", "1", "--share", "0.02"]
    done = subprocess.run(  # noqa: S603  # our own interpreter, fixed arguments
        command, capture_output=True, text=True, check=False, timeout=_MINUTES * 60
    )
    assert done.returncode == 0, done.stderr
    costs = {
        line[:34].strip(): [float(figure) for figure in line[34:].split()]
        for line in done.stdout.splitlines()
        if line[34:].replace(".", "").replace(" ", "").isdigit()
    }
    for name in ("an empty task, in turn", "send_an_email, in turn", "send_emails of 1,000"):
        wall, cpu, requests = costs[name]
        assert wall > 0
        assert cpu > 0
        assert requests > 0
    looked_up = costs["send_an_email, in turn"][2] - costs["an empty task, in turn"][2]
    assert looked_up >= 1
    assert done.stdout.count("measured ") >= 7
