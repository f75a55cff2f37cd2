"""What a command answers, for people as lines and for programs as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from prefect_smtp_relay.transports import check_table

DONE, PROBLEM, WRONG_USE = 0, 1, 2
"""The exit codes."""

Flag = Annotated[bool, Parameter(negative="", show_default=False)]
"""An option without a value."""

Json = Annotated[
    bool,
    Parameter(name="--json", negative="", show_default=False, help="Print one JSON document."),
]
"""Of the parameter ``as_json`` of every command."""

Line = str | Text


class UsageError(Exception):
    """The command cannot be done as it was written; exit code 2."""


@dataclass(frozen=True)
class Answer:
    """What a command has to say.

    Args:
        data: for ``--json``.
        lines: for stdout.
        complaints: for stderr.
        code: the exit code.
    """

    data: Any
    lines: Sequence[Line] = ()
    complaints: Sequence[Line] = ()
    code: int = DONE


def show(answer: Answer, *, as_json: bool) -> int:
    """Print an answer.

    Returns:
        The exit code.
    """
    if as_json:
        say(json.dumps(answer.data, indent=2, default=str))
        return answer.code
    for line in answer.lines:
        say(line)
    for line in answer.complaints:
        complain(line)
    return answer.code


def say(line: Line) -> None:
    """Print a line as it is: ``[SEV1]`` is not markup, and no line is cut."""
    _print(_console(), line)


def note(line: Line) -> None:
    """Print a line on stderr that is not a complaint: stdout has the answer only."""
    _print(_console(stderr=True), line)


def complain(line: Line) -> None:
    """Print a line on stderr."""
    note(Text(_clean(line), style="red") if isinstance(line, str) else line)


def terminal_width() -> int:
    """The columns of the terminal that the answer goes to; 0 where it goes to a pipe."""
    console = _console()
    return console.width if console.is_terminal else 0


def beside(label: str, text: str) -> str:
    """Put a text next to a label; a terminal gets it broken at spaces, and indented."""
    width = terminal_width()
    return check_table.beside(label, text, width) if width else label + text


def _print(console: Console, line: Line) -> None:
    text = Text(_clean(line)) if isinstance(line, str) else line
    console.print(text)


def _console(*, stderr: bool = False) -> Console:
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


def _clean(text: str) -> str:
    """Write as an escape what does not show: a server's words must not move the cursor."""
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
