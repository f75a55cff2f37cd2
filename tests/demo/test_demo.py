"""The demo, as ``make demo`` runs it."""

from __future__ import annotations

import ipaddress
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
_PASSWORD = "a password that nobody sees"

_WATCH = """
import os, sys

def note(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo"}:
        place = arguments[1] if event == "socket.connect" else arguments
        if isinstance(place, tuple):
            with open(os.environ["WATCHED_CALLS"], "a") as file:
                file.write(f"{place[0]}\\n")

sys.addaudithook(note)
"""
"""Notes whom a Python process calls; its children inherit it, the Prefect server among them."""


class Demo(NamedTuple):
    """What a run of the demo left behind."""

    code: int
    shown: str
    temporary: Path
    called: set[str]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Run the demo once."""
    temporary, watch = tmp_path_factory.mktemp("tmp"), tmp_path_factory.mktemp("watch")
    (watch / "sitecustomize.py").write_text(_WATCH)
    calls = watch / "calls"
    environment = os.environ | {
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(watch),
        "WATCHED_CALLS": str(calls),
    }
    done = subprocess.run(
        [sys.executable, "-m", "demo.run"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Demo(done.returncode, done.stdout, temporary, set(calls.read_text().split()))


def test_the_demo_tells_its_story_to_the_end(demo: Demo) -> None:
    """Two mails are accepted by the relay; without it, the same flow's mail is stored."""
    assert demo.code == 0, demo.shown
    assert demo.shown.count("Receipt: accepted by smtp/demo") == 2
    assert demo.shown.count("Receipt: stored by outbox") == 1
    assert "What arrived: 2 mails" in demo.shown
    assert "TLS: True, AUTH PLAIN as relay-user" in demo.shown
    assert "Traceback" not in demo.shown


def test_the_demo_shows_no_password(demo: Demo) -> None:
    """The password of the demo's mail server is never printed."""
    assert _PASSWORD in (ROOT / "demo" / "story.py").read_text("utf-8")
    assert _PASSWORD not in demo.shown


def test_the_demo_leaves_nothing_behind(demo: Demo) -> None:
    """Its Prefect home is removed."""
    assert list(demo.temporary.iterdir()) == []


def test_the_demo_calls_nobody_else(demo: Demo) -> None:
    """It works on an aeroplane: flows, Prefect server and mail server stay on loopback."""
    assert "127.0.0.1" in demo.called
    assert [place for place in demo.called if not _is_loopback(place)] == []


def _is_loopback(place: str) -> bool:
    try:
        return ipaddress.ip_address(place).is_loopback
    except ValueError:
        return place == "localhost"
