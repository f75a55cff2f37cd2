"""The wheel, in an environment that has nothing else of this repository."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.prefect_api import *  # noqa: F403  # the fixtures
from tests.rooms import ROOT

Run = Callable[..., str]


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a wheel and an sdist: that of the variable DIST, or built from this tree."""
    if given := os.environ.get("DIST"):
        return Path(given).resolve()
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "hatchling", "build", "-d", str(folder), cwd=ROOT)
    return folder


@pytest.fixture(scope="session")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment into which the wheel was installed."""
    folder = tmp_path_factory.mktemp("installed")
    (wheel,) = dist.glob("*.whl")
    uv, constraints = str(Path(sys.executable).with_name("uv")), str(ROOT / "constraints.txt")
    _run(uv, "venv", "-q", "--python", sys.executable, "venv", cwd=folder)
    programs = folder / "venv" / "bin"
    into = ("--python", str(programs / "python"))
    _run(uv, "pip", "install", "-q", *into, "-c", constraints, str(wheel), cwd=folder)
    return programs


@pytest.fixture
def run(installed: Path, prefect_server: Path, outbox_path: Path, tmp_path: Path) -> Run:
    """Run one of its programs in an empty folder, where the tests' Prefect server is known."""
    del prefect_server, outbox_path  # they have set variables
    folder = tmp_path / "empty"
    folder.mkdir()

    def run(program: str, *words: str, **variables: str) -> str:
        home = {"PREFECT_HOME": str(tmp_path / "home"), "PYTHONPATH": ""}
        return _run(str(installed / program), *words, cwd=folder, **home, **variables)

    return run


def _run(*words: str, cwd: Path, **variables: str) -> str:
    ran = subprocess.run(  # noqa: S603  # our own programs
        words, cwd=cwd, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{' '.join(words)}\n{ran.stdout}{ran.stderr}"
    return ran.stdout
