"""What needs no Prefect does not load it: it costs more than a second of CPU time."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

RunCli = Callable[..., Any]

_SCRIPT = """
import sys
from prefect_smtp_relay.cli import main
sys.argv[1:] = {words!r}
try:
    main()
except SystemExit as ended:
    print(ended.code, sorted({{"prefect", "pydantic"}} & sys.modules.keys()))
"""


def _run(*words: str) -> str:
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", _SCRIPT.format(words=words)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--version",),
        ("connect", "--help"),
        ("outbox", "--help"),
        ("preset",),
        ("preset", "gmail", "--json"),
        ("preset", "--help"),
        ("preset", "gmial"),
    ],
    ids=" ".join,
)
def test_neither_prefect_nor_pydantic_is_loaded(words: tuple[str, ...]) -> None:
    """Help, version and presets come from what is small."""
    ended = _run(*words).splitlines()[-1]
    assert ended in {"0 []", "None []", "2 []"}


def test_a_wrong_address_is_told_before_an_api_is_asked(run_cli: RunCli) -> None:
    """Nobody connects to the API, be it for the relay or for an event."""
    with socket.create_server(("127.0.0.1", 0)) as api:
        api.setblocking(False)
        url = f"http://127.0.0.1:{api.getsockname()[1]}/api"
        with temporary_settings({PREFECT_API_URL: url}):
            run = run_cli("send", "nobody")
        assert (run.code, run.out) == (2, "")
        with pytest.raises(BlockingIOError):
            api.accept()
