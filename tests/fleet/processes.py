"""Processes that are killed, and started again by the same command."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_STOP_SECONDS = 10
_POLL_SECONDS = 0.01


class Program:
    """A command that runs in a process of its own, in a session of its own.

    Args:
        command: and its arguments.
        environment: of the process.
        log: takes what it prints, over all its lives.
        ready: whether it does its work yet.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self._command = command
        self._environment = environment
        self._log = log
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Program:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it does its work."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  # our own interpreter, and Debian's programs
                self._command,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._process = process
        wait_for(lambda: process.poll() is not None or self._ready(), str(self._command))
        assert process.poll() is None, self._log.read_text()[-3000:]

    def kill(self) -> None:
        """End it as the kernel does where memory is short."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it in order."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()


def wait_for(condition: Callable[[], object], what: str, seconds: float = 180) -> None:
    """Ask again until the answer is true."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, f"not within {seconds} s: {what}"
        time.sleep(_POLL_SECONDS)


def listens(port: int) -> bool:
    """Whether a server of this host takes connections."""
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0
