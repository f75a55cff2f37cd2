"""Waiting that can be broken off."""

from __future__ import annotations

import time
from collections.abc import Callable

_PIECE_SECONDS = 0.25


def wait_until(moment: float, look: Callable[[], object] | None = None) -> None:
    """Wait in short pieces: a task's timeout reaches a thread only between two of them.

    Args:
        moment: of ``time.monotonic``.
        look: called before each piece; what it raises ends the wait.
    """
    while (left := moment - time.monotonic()) > 0:
        if look is not None:
            look()
        time.sleep(min(left, _PIECE_SECONDS))


def wait_for(seconds: float) -> None:
    """Wait so many seconds."""
    wait_until(time.monotonic() + seconds)
