"""The git repository in which a release is made."""

from __future__ import annotations

import subprocess
from pathlib import Path

from release.changelog import ReleaseError


class Repository:
    """A git work tree.

    Args:
        root: its top folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def check_is_clean(self) -> None:
        """Refuse changes that are not committed: a release is what everybody can see.

        Raises:
            ReleaseError: naming the files.
        """
        if changed := self._git("status", "--porcelain"):
            raise ReleaseError(f"Commit or remove these first:\n{changed}")

    def check_has_no_tag(self, tag: str) -> None:
        """Refuse a version that was released before.

        Raises:
            ReleaseError: the tag exists.
        """
        if self._git("tag", "--list", tag):
            raise ReleaseError(f"The tag {tag} exists. Choose another version.")

    def commit(self, message: str, tag: str) -> None:
        """Commit what has changed, and tag it."""
        self._git("commit", "--quiet", "--all", "--message", message)
        self._git("tag", "--annotate", tag, "--message", message)

    def _git(self, *words: str) -> str:
        ran = subprocess.run(  # noqa: S603  # fixed words, and a version that was checked
            ["git", *words],  # noqa: S607  # the developer's own git
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise ReleaseError(f"git {words[0]}: {ran.stderr.strip()}")
        return ran.stdout.rstrip()
