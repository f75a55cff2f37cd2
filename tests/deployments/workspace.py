"""A server with the package's deployments, and how to wait for what they do."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.testing.mail_server import MailServer, ReceivedMail
from tests.prefect_server import PrefectServer

T = TypeVar("T")

POOL = "default-process"
"""The work pool that ``init`` creates where nobody names one."""

_WAIT_SECONDS = 600
_COMMAND = "from prefect_smtp_relay.cli import main; main()"


@dataclass(frozen=True)
class Workspace:
    """A server, what ``init`` has written, and who receives the mail.

    Args:
        server: with its ``prefect`` commands.
        project: the folder in which commands run.
        mails: what takes the mail, connected as smtp/main.
    """

    server: PrefectServer
    project: Path
    mails: MailServer

    @property
    def files(self) -> Path:
        """The folder with ``prefect.yaml`` and ``automations.yaml``."""
        return self.project / "mail"

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

    def init(self, *words: str) -> dict[str, Any]:
        """Run ``prefect-smtp-relay init`` for the folder of the files."""
        answer = self.command("init", str(self.files), "--json", *words)
        document: dict[str, Any] = json.loads(answer)
        return document

    def command(self, *words: str) -> str:
        """Run ``prefect-smtp-relay`` in the project."""
        return self.run("-c", _COMMAND, *words)

    def connect(self) -> None:
        """Connect what takes the mail."""
        SMTP(
            address=self.mails.host,
            port=self.mails.port,
            ssl=False,
            from_address="prefect@example.org",
        ).save("main")

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
