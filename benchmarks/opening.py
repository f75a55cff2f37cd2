"""What a benchmark of long lines does first."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys

from benchmarks.line import Delay, choose_delay


def begin(name: str, description: str | None) -> Delay:
    """Read the options, see that servers end with the benchmark, and say where it runs.

    Args:
        name: of the module.
        description: for ``--help``.

    Returns:
        What makes a long line.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=description)
    parser.add_argument("--delay", choices=("tun", "proxy"), help="what makes a long line")
    delay: Delay = parser.parse_args().delay or choose_delay()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # else nobody would end the servers
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors; ratio: times less")
    return delay
