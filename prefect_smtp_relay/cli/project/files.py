"""The YAML files of a directory: written once, and kept as a person edits them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from prefect_smtp_relay.cli.answer import UsageError
from prefect_smtp_relay.cli.project.choices import Choices

CREATED, UPDATED, UNCHANGED, KEPT = "created", "updated", "unchanged", "kept"

_DEPLOYMENTS, _AUTOMATIONS = "prefect.yaml", "automations.yaml"


class ProjectFiles:
    """``prefect.yaml`` and ``automations.yaml`` in a directory.

    Args:
        directory: is made where it is missing.
        overwrite: write anew what a person has edited.
    """

    def __init__(self, directory: Path, *, overwrite: bool) -> None:
        self._deployments = directory / _DEPLOYMENTS
        self._automations = directory / _AUTOMATIONS
        self._overwrite = overwrite

    def write(self, pool: str | None, recipients: Sequence[str]) -> dict[str, str]:
        """Write what is missing, and what changes where nobody has edited it.

        Args:
            pool, recipients: what was asked for; None or empty keeps what the file says.

        Returns:
            What was done, by the files' paths.

        Raises:
            UsageError: a file cannot be read or written, or was edited and does not say what was
                asked for.
        """
        found = self._found()
        wanted = found.changed(pool, recipients)
        text = _read(self._deployments)
        is_edited = text not in (None, found.write())
        if is_edited and not self._overwrite and found != wanted:
            raise UsageError(
                f"{self._deployments} was edited, and is kept: --pool and --recipient do not change"
                " it. Edit it, add --overwrite to write it anew, or name another directory."
            )
        can_write = self._overwrite or not is_edited
        source = Path(__file__).with_name(_AUTOMATIONS).read_text(encoding="utf-8")
        may_replace = self._overwrite or _read(self._automations) is None
        return {
            str(self._deployments): _put(self._deployments, wanted.write(), can_write=can_write),
            str(self._automations): _put(self._automations, source, can_write=may_replace),
        }

    def _found(self) -> Choices:
        """What the file was written from; one that nobody can read says nothing."""
        try:
            return Choices.read_from(read_yaml(self._deployments))
        except UsageError:
            if not self._overwrite:
                raise
            return Choices()

    def recipients(self) -> tuple[str, ...]:
        """Who is mailed by the flows that mail people; empty where there are no such flows."""
        return Choices.read_from(read_yaml(self._deployments)).recipients

    def deployments(self) -> list[dict[str, Any]]:
        """The entries of ``prefect.yaml``.

        Raises:
            UsageError: it is not such a file.
        """
        return _entries(self._deployments, "deployments")

    def automations(self) -> list[dict[str, Any]]:
        """The entries of ``automations.yaml``.

        Raises:
            UsageError: it is not such a file.
        """
        return _entries(self._automations, "automations")


def read_yaml(path: Path) -> Any:
    """Read a file; None where there is none.

    Raises:
        UsageError: it is not YAML in UTF-8.
    """
    try:
        return YAML(typ="safe").load(_read(path) or "")
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise UsageError(
            f"{path}{where}: is not YAML in UTF-8. Fix it, or use --overwrite."
        ) from None


def _entries(path: Path, name: str) -> list[dict[str, Any]]:
    document = read_yaml(path)
    entries = document.get(name) if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise UsageError(f"{path}: {name}: is not a list of entries. Fix it, or use --overwrite.")
    return entries


def _put(path: Path, text: str, *, can_write: bool) -> str:
    existing = _read(path)
    if existing == text:
        return UNCHANGED
    if not can_write:
        return KEPT
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error
    return CREATED if existing is None else UPDATED


def _read(path: Path) -> str | None:
    try:
        # What is not UTF-8 is refused as YAML, and can be overwritten.
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error
