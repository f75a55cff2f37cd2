"""A disk of its own for the spool, which a test fills up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEGABYTES = 32
IS_PERMITTED = os.geteuid() == 0
"""Whether this user may mount one."""


class SmallDisk:
    """A folder that has some megabytes, in memory.

    Args:
        folder: does not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    @contextmanager
    def mounted(self) -> Iterator[None]:
        """Mount it, where that is permitted."""
        self.folder.mkdir(mode=0o700)
        if not IS_PERMITTED:
            yield
            return
        size = f"size={_MEGABYTES}m,mode=700"
        _run("mount", "-t", "tmpfs", "-o", size, "tmpfs", str(self.folder))
        try:
            yield
        finally:
            _run("umount", "--lazy", str(self.folder))

    def fill(self) -> None:
        """Leave no byte free."""
        with self._filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    def free(self) -> None:
        """Give back what was filled."""
        self._filler.unlink()


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603  # fixed arguments
