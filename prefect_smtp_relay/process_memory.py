"""What this process remembers between mails, on one object that can be emptied.

Connections that are kept, access tokens, TLS sessions, what was learned of a server, what earlier
tries of a mail reached: each is an object of its own class, made when it is first asked for. A
forked child starts with an empty memory: what its parent remembers is the parent's.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import Any, TypeVar

T = TypeVar("T")


class ProcessMemory:
    """One object of each class that is asked for.

    A class may define ``close()``, which gives back what it keeps (called by `reset` and at exit),
    and ``abandon()``, which lets go of what a parent process still uses (called in a forked child).
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._objects: dict[type[Any], Any] = {}

    def of(self, kind: type[T]) -> T:
        """Return this process's object of a class; it is made without arguments when it is new."""
        found = self._objects.get(kind)
        if found is None:
            with self._lock:
                found = self._objects.get(kind) or self._objects.setdefault(kind, kind())
        assert isinstance(found, kind)  # noqa: S101  # for mypy: the key is the class
        return found

    def put(self, kind: type[T], value: T) -> None:
        """Use an object for a class from now on, such as a test's clock."""
        with self._lock:
            self._objects[kind] = value

    def reset(self) -> None:
        """Forget everything, and close what was kept: the next mail starts as in a new process."""
        with self._lock:
            objects, self._objects = self._objects, {}
        for each in objects.values():
            _call(each, "close")

    def start_child(self) -> None:
        """Start afresh in a forked child, where no other thread runs and locks may be held."""
        objects, self._objects, self._lock = self._objects, {}, threading.RLock()
        for each in objects.values():
            _call(each, "abandon")


def _call(each: object, name: str) -> None:
    method = getattr(each, name, None)
    if method is not None:
        method()


process_memory = ProcessMemory()
"""The memory of this process."""

atexit.register(process_memory.reset)
if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=process_memory.start_child)
