"""Killed at any moment: nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_process_that_is_killed_at_any_step_loses_no_mail() -> None:
    """Writers and flushes, each killed before each step that it takes on the disk; see `dying`."""
    command = [sys.executable, str(Path(__file__).with_name("dying.py"))]
    done = subprocess.run(  # noqa: S603  # our own interpreter, fixed arguments
        command, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    steps = [int(count) for count in done.stdout.split()]
    assert steps[0] > 10
    assert min(steps[1:]) > 30
