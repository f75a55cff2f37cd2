"""The command: ``python -m release VERSION`` makes a release, ``--notes`` prints what it says.

It needs nothing but Python and git, so that it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from release import changelog
from release.changelog import ReleaseError
from release.repository import Repository

_VERSION_FILE = Path("prefect_smtp_relay", "_version.py")
_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
_NUMBERS = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}")


def make_release(root: Path, version: str, day: date) -> None:
    """Set the version, date the section of the changelog, commit both, and tag the commit.

    Args:
        root: the top folder of the repository.
        version: three numbers, higher than the version before.
        day: of the release.

    Raises:
        ReleaseError: nothing was written.
    """
    repository = Repository(root)
    repository.check_is_clean()
    version_file, changelog_file = root / _VERSION_FILE, root / "CHANGELOG.md"
    code = version_file.read_text(encoding="utf-8")
    _check_is_higher(version, _version_in(code))
    repository.check_has_no_tag(f"v{version}")
    text = changelog.released(changelog_file.read_text(encoding="utf-8"), version, day)
    version_file.write_text(_VERSION.sub(f'__version__ = "{version}"', code), encoding="utf-8")
    changelog_file.write_text(text, encoding="utf-8")
    repository.commit(f"Release {version}", f"v{version}")


def notes(root: Path, version: str) -> str:
    """What a release says: the section of the changelog.

    Args:
        root: the top folder of the repository.
        version: of the release; the package must have it.

    Raises:
        ReleaseError: the package has another version, or the changelog no such section.
    """
    current = _version_in((root / _VERSION_FILE).read_text(encoding="utf-8"))
    if current != version:
        raise ReleaseError(f"The package has version {current}, not {version}.")
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    return changelog.section(text, version).notes


def _version_in(code: str) -> str:
    if found := _VERSION.search(code):
        return found[1]
    raise ReleaseError(f"{_VERSION_FILE} names no version.")


def _check_is_higher(version: str, current: str) -> None:
    if not _NUMBERS.fullmatch(version):
        raise ReleaseError(f"{version!r} is not a version. Write three numbers, such as 0.3.0.")
    if _as_numbers(version) <= _as_numbers(current):
        raise ReleaseError(f"The version is {current} already. Choose a higher one.")


def _as_numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    parser.add_argument("version", help="three numbers, such as 0.3.0")
    parser.add_argument("--notes", action="store_true", help="print the changes of a release")
    given = parser.parse_args()
    try:
        if given.notes:
            print(notes(Path.cwd(), given.version))
            return
        make_release(Path.cwd(), given.version, datetime.now(UTC).date())
    except ReleaseError as error:
        sys.exit(str(error))
    print(f"Look at the commit (git show), then: git push origin main v{given.version}")


if __name__ == "__main__":
    main()
