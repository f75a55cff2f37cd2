"""What another process does, in this one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from prefect_smtp_relay.process_memory import process_memory


@contextlib.contextmanager
def another_process() -> Iterator[None]:
    """Remember nothing of what this process has; what it claimed stays claimed."""
    kept, process_memory._objects = process_memory._objects, {}
    try:
        yield
    finally:
        process_memory.reset()
        process_memory._objects = kept
