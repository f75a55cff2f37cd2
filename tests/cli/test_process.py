"""What the command prints and how it ends as a process of its own, without a Prefect API."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from prefect.settings import PREFECT_API_URL

_COMMAND = Path(sys.executable).with_name("prefect-smtp-relay")
_PATIENCE_SECONDS = 120


def _environment() -> dict[str, str]:
    return os.environ | {"PREFECT_API_URL": str(PREFECT_API_URL.value())}


def test_an_api_that_is_down_adds_no_words_of_prefect() -> None:
    """The event of the failed mail has nowhere to go, and nobody is told but by the one line."""
    run = subprocess.run(  # noqa: S603  # our own command
        [_COMMAND, "send", "ann@example.org", "--json"],
        capture_output=True,
        text=True,
        env=_environment(),
        check=False,
        timeout=_PATIENCE_SECONDS,
    )
    assert (run.returncode, run.stderr) == (1, "")
    assert json.loads(run.stdout)["type"] == "RelayLookupFailed"


def test_ctrl_c_ends_with_130() -> None:
    """While a server does not answer, an interruption ends the command without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        process = subprocess.Popen(  # noqa: S603  # our own command
            [_COMMAND, "check", "--address", "127.0.0.1", "--port", port],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=_environment(),
        )
        try:
            silent.settimeout(_PATIENCE_SECONDS)
            with silent.accept()[0]:
                process.send_signal(signal.SIGINT)
                shown = process.communicate(timeout=_PATIENCE_SECONDS)
        finally:
            process.kill()
            process.wait()
    assert (process.returncode, shown) == (130, ("", ""))
