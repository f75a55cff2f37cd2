"""Programs of Debian's that some tests need."""

from __future__ import annotations

import os
import shutil

import pytest


def find_program(name: str, kind: str, packages: str = "") -> str:
    """Find a program; without it the tests are skipped, but never in CI.

    Args:
        name: of the program.
        kind: what it is, for who sees the skip.
        packages: of Debian's, where they are not called like the program.
    """
    path = shutil.which(name)
    if path is None and os.environ.get("CI"):
        pytest.fail(f"no {name}: .ci/run installs it with apt-get")
    if path is None:
        pytest.skip(f"needs a {kind}: apt-get install {packages or name}")
    return path
