"""How a script is read into steps."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple


class Step(NamedTuple):
    """One line of a script; a REPEAT holds the steps up to its END."""

    name: str
    argument: str
    block: tuple[Step, ...] = ()


def parse(script: str, names: Container[str]) -> tuple[Step, ...]:
    """Read a script.

    Args:
        script: one step a line; blank lines and the space around each line count for nothing.
        names: of the steps that exist, beside REPEAT and END.

    Raises:
        ValueError: a step that does not exist, a REPEAT without its END, or the reverse.
    """
    lines = iter([*filter(None, map(str.strip, script.splitlines())), "END"])
    steps = tuple(_parse_block(lines, names))
    if stray := next(lines, ""):
        raise ValueError(f"an END without its REPEAT, before {stray!r}")
    return steps


def _parse_block(lines: Iterator[str], names: Container[str]) -> Iterator[Step]:
    for line in lines:
        name, _, argument = line.partition(" ")
        if name == "END":
            return
        if name != "REPEAT" and name not in names:
            raise ValueError(f"no step of a script: {line!r}")
        yield Step(name, argument, tuple(_parse_block(lines, names)) if name == "REPEAT" else ())
    raise ValueError("a REPEAT without its END")
