"""A server with the example deployments, and how to wait for what they do."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from prefect_smtp_relay.testing.mail_server import MailServer, ReceivedMail
from tests.prefect_server import PrefectServer

T = TypeVar("T")

_WAIT_SECONDS = 600


@dataclass(frozen=True)
class Workspace:
    """A server, a checkout of the example flows, and who receives their mail.

    Args:
        server: with its ``prefect`` commands.
        project: the folder with ``prefect.yaml``.
        mails: what takes the mail, connected as smtp/main.
    """

    server: PrefectServer
    project: Path
    mails: MailServer

    def run(self, *command: str, code: int = 0) -> str:
        """Run Python with these arguments in the project, against the server."""
        done = subprocess.run(  # noqa: S603  # our own interpreter
            [sys.executable, *command],
            cwd=self.project,
            env=self.server.client_environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def prefect(self, *words: str) -> str:
        """Run a ``prefect`` command in the project, without a terminal to ask in."""
        return self.run("-m", "prefect", "--no-prompt", *words)

    def mail(self, wanted: Callable[[str], bool]) -> ReceivedMail:
        """Wait for the first mail with such a subject."""
        return wait_for(
            lambda: next((m for m in self.mails.mails if wanted(m.message["Subject"])), None)
        )


def wait_for(ask: Callable[[], T | None]) -> T:
    """Ask again until there is an answer."""
    give_up_at = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < give_up_at:
        if answer := ask():
            return answer
        time.sleep(0.5)
    raise AssertionError(f"nothing after {_WAIT_SECONDS} s")
