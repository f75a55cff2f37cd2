"""A flood over four processes, of which each is killed once, is told in full."""

from __future__ import annotations

import subprocess
import sys


def test_what_failed_is_what_was_mailed() -> None:
    """No cause is lost; what is not told was killed before it could write anything down."""
    words = ["--runs", "24", "--processes", "4", "--within", "20s", "--kills", "4"]
    done = subprocess.run(  # noqa: S603  # our own interpreter, fixed arguments
        [sys.executable, "-m", "benchmarks.flood", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "24 flow runs failed" in done.stdout
    assert "4 processes killed with -9" in done.stdout
