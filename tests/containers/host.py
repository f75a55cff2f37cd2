"""A folder in place of a container's file system, and programs that run with its paths."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from prefect_smtp_relay.settings.values import SECRET_FILES
from tests.docs_run.reader import path_of_programs
from tests.fleet.processes import Program

_PATH = r"(?<![\w.-])/(?=(?:run|tmp|var)/)"
_PROGRAMS = "/opt/prefect/bin"


class Host:
    """Runs what belongs into a container, with each of its paths below a folder.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.substitutes = {_PROGRAMS: str(Path(sys.executable).parent)}
        self.root.joinpath("tmp").mkdir(parents=True)

    def local(self, text: str) -> str:
        """Put this host's paths and names in place of a container's."""
        names = "|".join(map(re.escape, self.substitutes))
        return re.sub(
            rf"{names}|{_PATH}",
            lambda found: self.substitutes.get(found[0]) or f"{self.root}/",
            text,
        )

    def mount(self, path: str, content: str) -> None:
        """Mount a secret, which nobody may change."""
        file = Path(self.local(path))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        file.chmod(0o444)

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The environment of a container, and what its paths have become."""
        kept = {name: text for name, text in os.environ.items() if name in {"LANG", "TZ"}}
        return {
            **kept,
            "PATH": path_of_programs(),
            "PREFECT_INTEGRATIONS_SMTP_RELAY_SECRET_FILES": self.local(",".join(SECRET_FILES)),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            **{name: self.local(text) for name, text in variables.items()},
        }

    def run(self, command: Sequence[str], variables: Mapping[str, str]) -> str:
        """Run a command to its end, and return what it printed."""
        done = subprocess.run(  # noqa: S603  # of our own examples
            [self.local(word) for word in command],
            env=self.environment(variables),
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self, command: Sequence[str], variables: Mapping[str, str]) -> Iterator[None]:
        """Run a command until the end of the block."""
        words = [self.local(word) for word in command]
        log = self.root / f"{words[1]}.log"
        with Program(words, self.environment(variables), log):
            yield
