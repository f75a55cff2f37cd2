"""CHANGELOG.md: its sections, and the one that a release makes of what is unreleased."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

GROUPS = ("Breaking", "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
"""What a section may have, in this order."""

UNRELEASED = "Unreleased"

_HEADING = re.compile(r"^## \[([^\]]+)\](?: - (\d{4}-\d\d-\d\d))?$", re.MULTILINE)
_LINKS = re.compile(r"^\[[^\]]+\]: https://", re.MULTILINE)
_UNRELEASED_LINK = re.compile(
    rf"^\[{UNRELEASED}\]: (?P<compare>https://\S+/compare/)v(?P<version>\S+)\.\.\.HEAD$",
    re.MULTILINE,
)


class ReleaseError(Exception):
    """Why there can be no release, and what to do."""


@dataclass(frozen=True)
class Section:
    """What one version changed.

    Args:
        version: such as ``0.3.0``, or ``Unreleased``.
        day: of the release, in ISO 8601; empty for what is unreleased.
        notes: the Markdown below the heading.
    """

    version: str
    day: str
    notes: str

    @property
    def groups(self) -> list[str]:
        """The headings of its groups, as they come."""
        return re.findall(r"^### (.+)$", self.notes, re.MULTILINE)


def sections(text: str) -> list[Section]:
    """Read the sections, the newest first."""
    body = text[: links.start()] if (links := _LINKS.search(text)) else text
    headings = list(_HEADING.finditer(body))
    ends = [*(heading.start() for heading in headings[1:]), len(body)]
    return [
        Section(heading[1], heading[2] or "", body[heading.end() : end].strip())
        for heading, end in zip(headings, ends, strict=True)
    ]


def section(text: str, version: str) -> Section:
    """Find the section of a version.

    Raises:
        ReleaseError: there is none.
    """
    for found in sections(text):
        if found.version == version:
            return found
    raise ReleaseError(f"CHANGELOG.md has no section [{version}].")


def released(text: str, version: str, day: date) -> str:
    """Make a dated section of what is unreleased, and leave an empty one above it.

    Args:
        text: the whole of CHANGELOG.md.
        version: of the release.
        day: of the release.

    Returns:
        The whole of the new CHANGELOG.md, with the links that compare the versions.

    Raises:
        ReleaseError: nothing is unreleased, or the link of it is not found.
    """
    if not section(text, UNRELEASED).groups:
        raise ReleaseError("Nothing is unreleased: CHANGELOG.md lists no change to release.")
    link = _UNRELEASED_LINK.search(text)
    if link is None:
        raise ReleaseError(f"CHANGELOG.md has no link [{UNRELEASED}]: .../compare/v...HEAD.")
    compare, before = link["compare"], link["version"]
    links = (
        f"[{UNRELEASED}]: {compare}v{version}...HEAD\n[{version}]: {compare}v{before}...v{version}"
    )
    text = text[: link.start()] + links + text[link.end() :]
    heading = f"## [{UNRELEASED}]\n"
    return text.replace(heading, f"{heading}\n## [{version}] - {day.isoformat()}\n", 1)
