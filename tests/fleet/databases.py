"""PostgreSQL and Redis in a temporary folder, on ports of the system."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fleet.processes import Program, listens
from tests.prefect_server import free_port
from tests.programs import find_program

_USER = "postgres"


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Run PostgreSQL with an empty database.

    Args:
        folder: does not exist yet, below one that everybody may enter.

    Yields:
        The URL of the database, for SQLAlchemy.
    """
    bin_ = _postgresql_programs()
    _make_for_user(folder)
    data = str(folder / "data")
    as_user = _as_user()
    subprocess.run(  # noqa: S603  # Debian's programs, fixed arguments
        [*as_user, str(bin_ / "initdb"), "-D", data, "-U", _USER, "-A", "trust", "--no-sync"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    port = free_port()
    command = [*as_user, str(bin_ / "postgres"), "-D", data, "-p", str(port), "-F"]
    command += ["-h", "127.0.0.1", "-k", str(folder)]
    ready = [str(bin_ / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    with Program(
        command,
        os.environ,
        folder / "postgresql.log",
        lambda: subprocess.run(ready, check=False).returncode == 0,  # noqa: S603  # likewise
    ):
        yield f"postgresql+asyncpg://{_USER}@127.0.0.1:{port}/postgres"


@contextmanager
def redis(folder: Path) -> Iterator[int]:
    """Run Redis, which keeps nothing on disk, and give its port."""
    program = find_program("redis-server", "Redis")
    _make_for_user(folder)
    port = free_port()
    command = [*_as_user(), program, "--bind", "127.0.0.1", "--port", str(port)]
    command += ["--dir", str(folder), "--save", ""]
    with Program(command, os.environ, folder / "redis.log", lambda: listens(port)):
        yield port


def _postgresql_programs() -> Path:
    """Debian keeps what runs a server out of the PATH, in a folder for each version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    return Path(find_program("initdb", "PostgreSQL", "postgresql")).parent


def _as_user() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", _USER, "--"] if os.geteuid() == 0 else []


def _make_for_user(folder: Path) -> None:
    folder.mkdir()
    if os.geteuid() == 0:
        shutil.chown(folder, _USER)
