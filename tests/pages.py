"""The pages that people read, as their tests read them: sections, code blocks, tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.rooms import ROOT

DOCS = ROOT / "docs"

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_SPAN = re.compile(r"(`+)(.+?)\1(?!`)")


@dataclass(frozen=True)
class CodeBlock:
    """One fenced block: its language, its code, and the line it begins in."""

    language: str
    code: str
    line: int


@dataclass(frozen=True)
class Page:
    """One file of Markdown, named as from the repository's root."""

    name: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return ROOT / self.name

    @property
    def text(self) -> str:
        """The whole of it."""
        return self.path.read_text(encoding="utf-8")

    def blocks(self, *languages: str) -> list[CodeBlock]:
        """Collect the fenced blocks of some languages, or all, in their order."""
        text = self.text
        blocks = [
            CodeBlock(found[1], found[2], text.count("\n", 0, found.start()) + 1)
            for found in _BLOCK.finditer(text)
        ]
        return [block for block in blocks if not languages or block.language in languages]

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return _BLOCK.sub("", self.text)

    @property
    def anchors(self) -> set[str]:
        """All headings, as GitHub and the site write their anchors."""
        titles = [re.sub(r"[`*]", "", found[2]) for found in _HEADING.finditer(self.prose)]
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}

    def section(self, title: str) -> str:
        """The text below a heading, up to the next one of any level."""
        _, _, rest = self.prose.partition(f"# {title}\n")
        assert rest, f"{self.name} has no section {title}"
        return _HEADING.split(rest, maxsplit=1)[0]

    def table(self, title: str) -> list[list[str]]:
        """The rows of a section's first table, without its heading."""
        lines = [line for line in self.section(title).splitlines() if line.startswith("|")]
        rows = [re.split(r"(?<!\\)\|", line.strip("|")) for line in lines]
        return [[cell.strip() for cell in row] for row in rows][2:]


README = Page("README.md")


def page(name: str) -> Page:
    """The page of the site with this name, without its folder ``docs`` and its ending."""
    return Page(f"docs/{name}.md")


def pages() -> list[Page]:
    """The README and every page of the site, in the order of their names."""
    files = sorted(DOCS.rglob("*.md"))
    return [README, *(Page(file.relative_to(ROOT).as_posix()) for file in files)]


def code(cell: str) -> str:
    """What is in a cell's first code span."""
    found = _SPAN.search(cell)
    assert found, f"no code in {cell!r}"
    return found[2]
