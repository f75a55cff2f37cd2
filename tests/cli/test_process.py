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

_SHOW_PATIENCE = """
import sys
from prefect_smtp_relay.cli.app import main

sys.argv = ["prefect-smtp-relay", "--version"]
try:
    main()
finally:
    from prefect.settings import get_current_settings
    print(get_current_settings().server.ephemeral.startup_timeout_seconds)
"""


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


def test_a_temporary_server_has_time_to_make_its_database() -> None:
    """More than Prefect gives it, unless somebody has said how much."""
    name = "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"
    others = {key: value for key, value in os.environ.items() if key != name}
    for given, seconds in ({}, "120"), ({name: "7"}, "7"):
        run = subprocess.run(  # noqa: S603  # our own code
            [sys.executable, "-c", _SHOW_PATIENCE],
            capture_output=True,
            text=True,
            env=others | given,
            check=True,
            timeout=_PATIENCE_SECONDS,
        )
        assert run.stdout.splitlines()[-1] == seconds
