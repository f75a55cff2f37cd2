"""Reads a Dockerfile, and builds it in a folder."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.containers.host import Host

_COMMAND = re.compile(r"CMD (\[.*\])$")


@dataclass
class Image:
    """What a Dockerfile makes.

    Args:
        host: where its steps run.
        file: the Dockerfile; what it copies is beside it.
    """

    host: Host
    file: Path
    variables: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)
    user: str = ""
    steps: list[str] = field(default_factory=list)

    def build(self) -> None:
        """Take each step, in its order."""
        for name, text in self._instructions():
            if name == "RUN":
                self._run(text)
            elif name == "COPY" and not text.startswith("--from="):
                source, target = text.split()
                shutil.copy(self.file.with_name(source), self.host.local(target))
            elif name == "ENV":
                variable, _, value = text.partition("=")
                self.variables[variable] = value
            elif name == "USER":
                self.user = text
            elif name == "CMD":
                self.command = json.loads(text)
            elif name == "HEALTHCHECK" and (found := _COMMAND.search(text)):
                self.healthcheck = json.loads(found[1])

    def _instructions(self) -> Iterator[tuple[str, str]]:
        for line in self.file.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                name, _, text = line.partition(" ")
                yield name, text

    def _run(self, step: str) -> None:
        """Make no user of this host; the environment is this one, which has to have all already."""
        self.steps.append(step)
        if not step.startswith(("useradd ", "python -m venv ")):
            self.host.run(
                ["sh", "-c", self._for_this_user(step)], {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1"}
            )

    def _for_this_user(self, step: str) -> str:
        """Only root may give files to another user."""
        return step if os.geteuid() == 0 else re.sub(r" -[og] \d+", "", step)
