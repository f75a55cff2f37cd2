"""A traceback for a mail: one line a frame, without the frames of Prefect's engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

HEAD = "Traceback (most recent call last):"

_GROUP = f"Exception Group {HEAD}"
_MARGIN = re.compile(r"^ *(?:[|+] |\+[-+]+(?: [\d.]+ -+)?$)", re.MULTILINE)
"""What Python draws on the left of an exception group, and between the exceptions in it."""
_FRAME = re.compile(r'\s*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?$')
_MARKERS = re.compile(r"[\s~^]*$")
_LIBRARY = re.compile(
    r"[\\/](?:(?:site|dist)-packages|lib[\\/]python3\.\d+(?![\\/](?:site|dist)-packages))"
    r"[\\/](?P<path>.+)"
)
_MAX_FRAMES = 12
_FIRST_FRAMES = 3
_LONGEST_CYCLE, _FEW = 3, 2
_MAX_LINE = 200


@dataclass(frozen=True)
class _Frame:
    """One call.

    Args:
        file, line, function: where it was.
        code: the line of code, where the source was there.
    """

    file: str
    line: str
    function: str
    code: str = ""

    @property
    def is_prefect(self) -> bool:
        """Whether it is Prefect's engine, which every run passes through."""
        library = _LIBRARY.search(self.file)
        return library is not None and library["path"].startswith(("prefect/", "prefect\\"))

    @property
    def is_library(self) -> bool:
        """Whether somebody else wrote it."""
        return _LIBRARY.search(self.file) is not None

    @property
    def place(self) -> str:
        """For example ``nightly.py:393``."""
        library = _LIBRARY.search(self.file)
        path = library["path"] if library else re.split(r"[\\/]", self.file)[-1]
        return f"{path}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place}  {self.function}  {self.code}".rstrip()[:_MAX_LINE]


def shorten_traceback(text: str) -> tuple[str, ...]:
    """Write a traceback with one line a frame, innermost last.

    Args:
        text: as Python prints it, with what was printed before it.

    Returns:
        The frames and what was raised, without the last exception, which the report has as its
        first thing; of an exception group with all that are in it.
    """
    is_group = _GROUP in text
    _, head, rest = _without_margin(text).partition(HEAD)
    if not head:
        return ()
    parts = list(_parts(rest.splitlines()))
    if is_group:
        return tuple(_write(parts))
    last = max((n for n, part in enumerate(parts) if isinstance(part, _Frame)), default=-1)
    return tuple(_write(parts[: last + 1]))


def innermost_place(text: str) -> str:
    """Say where the author's own code failed, for example ``nightly.py line 358``; or nothing."""
    frames = [
        part for part in _parts(_without_margin(text).splitlines()) if isinstance(part, _Frame)
    ]
    own = [frame for frame in frames if not frame.is_library] or frames
    return own[-1].place.replace(":", " line ") if own else ""


def _without_margin(text: str) -> str:
    return _MARGIN.sub("", text) if _GROUP in text else text


def _parts(lines: Iterable[str]) -> Iterator[_Frame | str]:
    """The frames, and the lines between them: of the exceptions that led to the last one."""
    frame: _Frame | None = None
    for line in lines:
        if found := _FRAME.match(line):
            if frame:
                yield frame
            frame = _Frame(found["file"], found["line"], found["function"] or "")
        elif frame and line.startswith("    "):
            if not frame.code and not _MARKERS.match(line):
                frame = _Frame(frame.file, frame.line, frame.function, line.strip())
        else:
            if frame:
                yield frame
            frame = None
            if line.strip() and not line.endswith(HEAD):
                yield line.strip()[:_MAX_LINE]
    if frame:
        yield frame


def _write(parts: Iterable[_Frame | str]) -> Iterator[str]:
    for is_frame, run in groupby(parts, key=lambda part: isinstance(part, _Frame)):
        if is_frame:
            yield from _write_frames([part for part in run if isinstance(part, _Frame)])
        else:
            yield from map(str, run)


def _write_frames(frames: list[_Frame]) -> Iterator[str]:
    lines: list[str] = []
    for is_prefect, run in groupby(frames, key=lambda frame: frame.is_prefect):
        group = list(run)
        lines += [f"... {_count(group)} of Prefect"] if is_prefect else map(str, group)
    lines = list(_fold(lines))
    if len(lines) <= _MAX_FRAMES:
        yield from lines
        return
    yield from lines[:_FIRST_FRAMES]
    left_out = lines[_FIRST_FRAMES : _FIRST_FRAMES - _MAX_FRAMES]
    yield f"... {_count(left_out)} left out"
    yield from lines[_FIRST_FRAMES - _MAX_FRAMES :]


def _fold(lines: Sequence[str]) -> Iterator[str]:
    """Tell of frames that repeat in turn, as those of a recursion do, how often they repeat."""
    at = 0
    while at < len(lines):
        cycles = [
            (length, times)
            for length in range(1, _LONGEST_CYCLE + 1)
            if (times := _repetitions(lines, at, length)) > _FEW
        ]
        length, times = max(cycles, key=lambda cycle: cycle[0] * cycle[1], default=(1, 1))
        yield from lines[at : at + length]
        if times > 1:
            frames = "frame" if length == 1 else f"{length} frames"
            yield f"... the same {frames} {times - 1} more times"
        at += length * times


def _repetitions(lines: Sequence[str], at: int, length: int) -> int:
    """How often some lines stand after one another."""
    first, times = lines[at : at + length], 1
    while lines[at + times * length : at + (times + 1) * length] == first:
        times += 1
    return times


def _count(frames: list[_Frame] | list[str]) -> str:
    return f"{len(frames)} frame{'s'[: len(frames) != 1]}"
