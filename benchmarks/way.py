"""How far a reader of the code walks with a mail: ``python -m benchmarks.way``.

Prints how often the way of a mail changes from one file to another between the task and the
transport (what renders the mail and writes its MIME is not counted, it is a room of its own), the
lines of the package, and the circles among its rooms.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import prefect_smtp_relay
from prefect_smtp_relay import send_an_email, send_emails
from prefect_smtp_relay.testing.memory import InMemoryTransport

_PACKAGE = Path(prefect_smtp_relay.__file__).parent
_MIDDLE = ("tasks.py", "compose", "delivery", "runtime")
_MAIL: dict[str, Any] = {
    "to": "ann@example.org",
    "subject": "s",
    "body": "b",
    "from_": "ops@example.org",
}


class Walk:
    """Counts the calls from one file of the middle into another, up to the first delivery."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str]] = []
        self._files: list[str] = []
        self._is_there = False

    def follow(self, run: Callable[[], object]) -> None:
        """Run a function under this observer."""
        sys.setprofile(self._note)
        try:
            run()
        finally:
            sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event not in {"call", "return"} or _PACKAGE not in path.parents:
            return
        file = path.relative_to(_PACKAGE)
        if file.parts[0] not in _MIDDLE:
            self._is_there |= frame.f_code.co_name == "deliver" and file.parts[0] == "testing"
        elif not frame.f_code.co_name.startswith("<"):  # a comprehension is in its own file
            self._step(str(file), event)

    def _step(self, file: str, event: str) -> None:
        if event == "return":
            self._files.pop()
            return
        if self._files and self._files[-1] != file and not self._is_there:
            self.changes.append((self._files[-1], file))
        self._files.append(file)


def circles() -> list[tuple[str, str]]:
    """Pairs of rooms that import each other, type-only imports included."""
    known = {room: set(_imports(room)) for room in sorted(_rooms())}
    return [(a, b) for a in known for b in known[a] if a < b and a in known.get(b, ())]


def _rooms() -> set[str]:
    files = (path.relative_to(_PACKAGE) for path in _PACKAGE.rglob("*.py"))
    return {file.parts[0].removesuffix(".py") for file in files} - {"__init__"}


def _imports(room: str) -> Iterator[str]:
    for path in [*_PACKAGE.glob(f"{room}.py"), *(_PACKAGE / room).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                parts = [*node.module.split("."), node.names[0].name]
                if parts[0] == _PACKAGE.name and parts[1] != room:
                    yield parts[1]


def main() -> None:
    """Print the figures."""
    relay = InMemoryTransport()
    send_an_email.fn(**_MAIL, relay=relay)  # what is loaded or made once is no part of the way
    for title, run in (
        ("one mail", lambda: send_an_email.fn(**_MAIL, relay=relay)),
        ("two mails", lambda: send_emails.fn([_MAIL, _MAIL], relay=relay)),
    ):
        walk = Walk()
        walk.follow(run)
        files = {file for change in walk.changes for file in change}
        print(f"{title}: {len(walk.changes)} changes of file, over {len(files)} files")
        print(*(f"  {before} -> {after}" for before, after in walk.changes), sep="\n")
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in _PACKAGE.rglob("*.py"))
    print(f"package: {lines:,} lines; circles among its rooms: {circles() or 'none'}")


if __name__ == "__main__":
    main()
