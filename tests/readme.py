"""The README as its tests read it: sections, code blocks, tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_SPAN = re.compile(r"(`+)(.+?)\1(?!`)")


@dataclass(frozen=True)
class CodeBlock:
    """One fenced block: its language, its code, and the line it begins in."""

    language: str
    code: str
    line: int


def code_blocks(*languages: str) -> list[CodeBlock]:
    """Collect the fenced blocks of some languages, or all, in their order."""
    blocks = [
        CodeBlock(found[1], found[2], TEXT.count("\n", 0, found.start()) + 1)
        for found in _BLOCK.finditer(TEXT)
    ]
    return [block for block in blocks if not languages or block.language in languages]


def prose() -> str:
    """The text without its fenced blocks."""
    return _BLOCK.sub("", TEXT)


def headings() -> list[str]:
    """All headings, as GitHub writes their anchors."""
    titles = [found[2] for found in _HEADING.finditer(prose())]
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def section(title: str) -> str:
    """The text below a heading, up to the next one of any level."""
    _, _, rest = prose().partition(f"# {title}\n")
    assert rest, f"no section {title}"
    return _HEADING.split(rest, maxsplit=1)[0]


def table(title: str) -> list[list[str]]:
    """The rows of a section's first table, without its heading."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return rows[2:]


def code(cell: str) -> str:
    """What stands in a cell's first code span."""
    found = _SPAN.search(cell)
    assert found, f"no code in {cell!r}"
    return found[2]
