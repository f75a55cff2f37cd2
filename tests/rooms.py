"""The rooms of the package; ``python -m tests.rooms`` prints the tree for CONTRIBUTING.md."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "prefect_smtp_relay"
ROOMS = (
    "_version",
    "exceptions",
    "process_memory",
    "mail",
    "rendering",
    "templating",
    "spool",
    "transports",
    "testing",
    "settings",
    "blocks",
    "runtime",
    "compose",
    "delivery",
    "tasks",
    "notifications",
    "flows",
    "cli",
)
"""From the ground up: each may import what comes before it, and nothing that comes after."""

_WIDTH = 26


def tree() -> str:
    """Each room with its caption, in the order of `ROOMS`, and the rooms within it."""
    lines = [_line(PACKAGE, 0)]
    for name in ROOMS:
        folder = PACKAGE / name
        lines += _folder(folder, 1) if folder.is_dir() else [_line(folder.with_suffix(".py"), 1)]
    return "\n".join(lines)


def _folder(folder: Path, depth: int) -> Iterator[str]:
    yield _line(folder, depth)
    for inner in sorted(folder.iterdir()):
        if (inner / "__init__.py").exists():
            yield from _folder(inner, depth + 1)


def _line(path: Path, depth: int) -> str:
    name = f"{'  ' * depth}{path.name}{'/' if path.is_dir() else ''}"
    return f"{name:{_WIDTH}}  {_caption(path / '__init__.py' if path.is_dir() else path)}"


def _caption(file: Path) -> str:
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    assert text, f"{file} has no docstring"
    return text.partition("\n")[0]


if __name__ == "__main__":
    sys.stdout.write(f"{tree()}\n")
