"""A person at a terminal: runs the installed command on a pseudo terminal, and answers it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

_PATIENCE_SECONDS = 120


class Dialogue(NamedTuple):
    """What a command left behind: its answer, and what the person saw meanwhile."""

    code: int
    out: str
    seen: str


def converse(words: list[str], answers: dict[str, str], environment: dict[str, str]) -> Dialogue:
    """Run the command line, and type each answer when its question shows.

    Args:
        words: the arguments.
        answers: question (a piece of it) and answer, in their order.
        environment: of the process.
    """
    command = Path(sys.executable).with_name("prefect-smtp-relay")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603  # our own command
        [command, *words],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment,
        text=True,
        start_new_session=True,
    )
    os.close(theirs)
    seen, start = "", 0
    try:
        for question, answer in answers.items():
            seen = _read_until(ours, question, seen, start)
            start = len(seen)
            os.write(ours, f"{answer}\n".encode())
        out, _ = process.communicate(timeout=_PATIENCE_SECONDS)
        seen += _read_rest(ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return Dialogue(process.returncode, out, seen)


def _read_until(terminal: int, question: str, seen: str, start: int) -> str:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while question not in seen[start:]:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"no {question!r} in {seen!r}"
        seen += _read(terminal)
    return seen


def _read_rest(terminal: int) -> str:
    rest = ""
    while select.select([terminal], [], [], 0)[0] and (text := _read(terminal)):
        rest += text
    return rest


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:  # Linux: the other side is closed
        return ""
