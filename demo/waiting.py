"""Say what is being waited for, while it is."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

_EVERY_SECONDS = 5


@contextlib.contextmanager
def waiting_for(what: str) -> Iterator[None]:
    """Print what is being waited for, again every five seconds, and how long it took.

    Args:
        what: for example ``the temporary Prefect server``.
    """
    started, done = time.monotonic(), threading.Event()

    def remind() -> None:
        while not done.wait(_EVERY_SECONDS):
            print(f"   ... still waiting for {what} ({time.monotonic() - started:.0f} s)")

    print(f"   Waiting for {what} ...")
    reminder = threading.Thread(target=remind, daemon=True)
    reminder.start()
    try:
        yield
    finally:
        done.set()
        reminder.join()
    print(f"   ... there after {time.monotonic() - started:.0f} s.")
