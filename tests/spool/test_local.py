"""A directory that is full, failing, or somebody else's."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prefect_smtp_relay.exceptions import EmailError, RelayConfigurationError, TransientFailure
from prefect_smtp_relay.spool import Spool, open_spool

OPERATIONS: dict[str, Callable[[Spool], object]] = {
    "create": lambda spool: spool.create("keys/new", b"new", durable=True),
    "read": lambda spool: spool.read("keys/old"),
    "replace": lambda spool: spool.replace("keys/old", b"new", durable=True),
    "delete": lambda spool: spool.delete("keys/old"),
    "list": lambda spool: spool.list("keys"),
}
STEPS = {
    "create": ["os.open", "os.fchmod", "os.fsync", "os.link"],
    "read": ["os.open"],
    "replace": ["os.open", "os.fchmod", "os.fsync", "pathlib.Path.replace"],
    "delete": ["pathlib.Path.unlink"],
    "list": ["os.scandir"],
}
ERRORS: dict[str, type[EmailError]] = {
    "ENOSPC": TransientFailure,
    "EDQUOT": TransientFailure,
    "EIO": TransientFailure,
    "EACCES": RelayConfigurationError,
    "EROFS": RelayConfigurationError,
}

FILL = """
import resource, sys
from prefect_smtp_relay.exceptions import TransientFailure
from prefect_smtp_relay.spool import open_spool

spool = open_spool(sys.argv[1])
spool.replace("outbox/a", b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for act in (spool.replace, spool.create):
    try:
        act("outbox/a" if act == spool.replace else "outbox/b", b"x" * 200_000)
    except TransientFailure as error:
        print(error)
print(spool.read("outbox/a"), spool.read("outbox/b"))
"""


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """A directory with something in it."""
    spool = open_spool(str(tmp_path / "spool"))
    spool.create("keys/old", b"old")
    return spool


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize(
    ("operation", "step"), [(operation, step) for operation in STEPS for step in STEPS[operation]]
)
def test_an_error_of_the_disk_is_one_of_ours(
    spool: Spool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    step: str,
    code: str,
) -> None:
    """Whichever step meets it: the old bytes are there, or the new ones, and no leftovers."""

    def fail(*_: object, **__: object) -> None:
        number = getattr(errno, code, errno.EIO)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr(step, fail)
        with pytest.raises(ERRORS[code], match="spool") as caught:
            OPERATIONS[operation](spool)
    assert getattr(caught.value, "stage", "store") == "store"
    assert isinstance(caught.value.__cause__, OSError)
    assert spool.read("keys/old") == b"old"
    assert spool.read("keys/new") is None
    assert [file.name for file in (tmp_path / "spool" / "keys").iterdir()] == ["old"]


def test_what_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    """A real limit of the system, met in the middle of a file."""
    command = [sys.executable, "-c", FILL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # ours
    first, second, read = done.stdout.splitlines()
    assert "File too large. Free space on this disk" in first
    assert "File too large. Free space on this disk" in second
    assert read == "b'old' None"
    assert [file.name for file in (tmp_path / "outbox").iterdir()] == ["a"]


def test_a_file_system_without_links_is_told(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as FAT, and some that programs provide."""

    def link(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(RelayConfigurationError, match="has no hard links"):
        spool.create("keys/new", b"new")


def test_nobody_else_may_look_into_any_folder(tmp_path: Path) -> None:
    """Whatever the umask, and however deep."""
    before = os.umask(0)
    try:
        open_spool(str(tmp_path / "spool")).create("keys/ab/c", b"x")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "spool").rglob("*")}
    assert modes == {"keys": 0o700, "ab": 0o700, "c": 0o600}
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700


def test_a_file_url_is_a_path(tmp_path: Path) -> None:
    """It names a directory of this host."""
    open_spool(f"file://{tmp_path}/spool").create("keys/a", b"x")
    assert open_spool(str(tmp_path / "spool")).read("keys/a") == b"x"
