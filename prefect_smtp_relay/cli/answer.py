"""What a command answers, for people as lines and for programs as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

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

_NARROWEST = 30
_INDENT = 4


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


def beside(label: Line, text: str) -> Text:
    """Put a text next to a label; a terminal gets it broken at spaces, and indented.

    Where that leaves too narrow a column, the text begins in a line of its own.
    """
    console, body = _console(), Text(_clean(text))
    column = Text.assemble(label).cell_len
    if not console.is_terminal or console.width < _NARROWEST:
        return Text.assemble(label, body)
    is_beside = console.width - column >= _NARROWEST
    indent = column if is_beside else _INDENT
    gap = Text("\n" + " " * indent)
    rows = gap.join(body.wrap(console, console.width - indent))
    return Text.assemble(label, rows) if is_beside else Text.assemble(label, gap, rows)


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
