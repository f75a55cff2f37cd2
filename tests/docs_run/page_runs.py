"""A page's examples, run in their order: Python in one namespace, commands in one directory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect.settings import get_current_settings

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"

_BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE_NAME = re.compile(r"# ([\w./]+\.\w+)\n")


@dataclass(frozen=True)
class Example:
    """One fenced block: its language, its code, and the line it begins in."""

    language: str
    code: str
    line: int

    @property
    def file_name(self) -> str:
        """The file that it is, by the comment that it begins with; or empty."""
        found = _FILE_NAME.match(self.code)
        return found[1] if found else ""


@dataclass
class Page:
    """A page of the documentation.

    Args:
        path: of its Markdown.
        substitutes: what stands for the servers of its examples.
    """

    path: Path
    substitutes: Mapping[str, str] = field(default_factory=dict)

    def blocks(self, *languages: str) -> list[Example]:
        """Collect the examples in some languages, in their order."""
        text = self.path.read_text(encoding="utf-8")
        return [
            Example(found[1], found[2], text.count("\n", 0, found.start()) + 1)
            for found in _BLOCK.finditer(text)
            if found[1] in languages
        ]

    def substitute(self, code: str) -> str:
        """Put the local servers in place of the examples'."""
        for example, local in self.substitutes.items():
            code = code.replace(example, local)
        return code


def run_page(page: Page) -> dict[str, Any]:
    """Run every example of a page in the working directory, and return Python's names."""
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in page.blocks("python", "bash"):
        code = page.substitute(block.code)
        if block.language == "bash":
            run_shell(code)
        else:
            source = "\n" * block.line + code
            exec(compile(source, page.path.name, "exec"), namespace)  # noqa: S102 - our examples
    return namespace


def run_shell(code: str, **variables: str) -> str:
    """Run commands in the working directory, against the Prefect server of the test."""
    environment = {
        **os.environ,
        "PREFECT_API_URL": str(get_current_settings().api.url),
        **variables,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(  # noqa: S603 - our own examples
        ["/bin/bash", "-euc", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
