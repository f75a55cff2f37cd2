"""Processes beside the measured one; none outlives it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
_END_SECONDS = 5


class NotStarted(Exception):
    """A process ended before it was ready; the text is what it said about it."""


@contextmanager
def running(command: Sequence[str], **pipes: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a program until the block is left, whatever leaves it.

    Args:
        command: the program and its arguments.
        pipes: ``stdin``, ``stdout``, ``stderr`` of `subprocess.Popen`.
    """
    # In a session of its own it is spared Ctrl-C, and ended here.
    process = subprocess.Popen(  # noqa: S603  # our own interpreter, or smtp-sink
        command, text=True, cwd=_ROOT, start_new_session=True, **pipes
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in filter(None, (process.stdin, process.stdout, process.stderr)):
            pipe.close()


@contextmanager
def module(name: str, *arguments: str) -> Iterator[str]:
    """Run a module of this package, which prints one line once it is ready.

    Args:
        name: of the module: ``tun``, ``smtp.own_sink``.
        arguments: for its command line. Its standard input is a pipe that ends when this
            process does, however it ends: then the module ends too.

    Yields:
        The line.

    Raises:
        NotStarted: it ended without a line.
    """
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    pipe = subprocess.PIPE
    with running(command, stdin=pipe, stdout=pipe) as process:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise NotStarted(f"{' '.join(command)} ended before it was ready; see its words above")
        yield line.strip()
