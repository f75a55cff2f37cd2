"""Does what a page says, from top to bottom, as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tests.pages import CodeBlock, Page
from tests.rooms import ROOT

FILE_NAME = re.compile(r"# (\w+\.py)\n")
"""The first line of a block that is a file of its own."""

_ASKS = re.compile(r"^(prefect-smtp-relay connect (smtp|sendgrid)\b(?!.*--from-env).*)$", re.M)
_RUNS_ON = re.compile(r"^(prefect worker start\b.*)$", re.MULTILINE)
_PATIENCE_SECONDS = 300


def _with_answers(found: re.Match[str]) -> str:
    """Take what the command would ask for from variables; nobody answers for SendGrid itself."""
    return f"{found[1]} --from-env{' --no-check' if found[2] == 'sendgrid' else ''}"


@dataclass
class Reader:
    """One reader of one page: one namespace of Python, one shell, one folder.

    Args:
        page: what is read.
        substitute: puts local servers in place of the examples'.
        environment: of the commands, besides that of this process.
        home: where the shell's variables are kept between blocks.
    """

    page: Page
    substitute: Callable[[str], str]
    environment: Mapping[str, str]
    home: Path
    printed: str = ""
    namespace: dict[str, object] = field(default_factory=lambda: {"__name__": "page"})

    def read(self) -> Iterator[CodeBlock]:
        """Run each block of Python or of the shell, and give it once it has run."""
        for block in self.page.blocks("python", "bash"):
            if block.language == "bash":
                self._run_commands(block)
            elif name := FILE_NAME.match(block.code):
                Path(name[1]).write_text(self.substitute(block.code), encoding="utf-8")
            else:
                self._run_python(block)
            yield block

    def _run_python(self, block: CodeBlock) -> None:
        source = "\n" * block.line + self.substitute(block.code)
        exec(compile(source, self.page.name, "exec"), self.namespace)  # noqa: S102 - our own examples

    def _run_commands(self, block: CodeBlock) -> None:
        """Run the commands in one shell after the other, each with the variables of the last."""
        lines = [line for line in block.code.splitlines() if not _is_looked_up(line)]
        commands = _ASKS.sub(_with_answers, self.substitute("\n".join(lines)))
        commands = _RUNS_ON.sub(r"\1 --run-once", commands)
        variables = self.home / "variables"
        before = f". {variables}\n" if variables.exists() else ""
        script = f"{before}{commands}\nexport -p > {variables}"
        self.printed += run_shell(script, self.environment, f"{self.page.name}:{block.line}")


def run_shell(script: str, environment: Mapping[str, str], where: str = "") -> str:
    """Run commands in one shell, in this folder, and give what they print.

    Args:
        script: the commands.
        environment: variables besides those of this process.
        where: they are written, for the error if they fail.
    """
    done = subprocess.run(  # noqa: S603 - the page's own commands
        ["bash", "-euc", script],  # noqa: S607 - the shell of the reader
        env={**os.environ, **environment, "PATH": path_of_programs()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_SECONDS,
    )
    assert done.returncode == 0, f"{where}\n{done.stdout}{done.stderr}"
    return done.stdout


def path_of_programs() -> str:
    """The PATH with the programs of this Python first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def _is_looked_up(command: str) -> bool:
    """Whether a command is too slow to run here, or never ends; then what it names has to exist."""
    words = command.split()
    if command.startswith("make "):
        assert f"\n{words[1]}:" in ROOT.joinpath("Makefile").read_text(encoding="utf-8")
    elif command.startswith("pip install "):
        project = ROOT.joinpath("pyproject.toml").read_text(encoding="utf-8")
        name, _, extra = words[2].strip("\"'").rstrip("]").partition("[")
        assert f'name = "{name}"' in project
        assert not extra or f"\n{extra} = [" in project
    elif command.startswith("python -m benchmarks"):
        assert find_spec(words[2])
    else:
        return False
    return True
