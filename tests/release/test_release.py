"""``python -m release``, in a git repository of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rooms import ROOT

URL = "https://github.com/prefect-smtp-relay/prefect-smtp-relay"
CHANGELOG = f"""\
# Changelog

## [Unreleased]

### Added

- Mail by pigeon.

## [0.2.0] - 2026-11-27

### Fixed

- A typo.

[Unreleased]: {URL}/compare/v0.2.0...HEAD
[0.2.0]: {URL}/compare/v0.1.0...v0.2.0
"""
AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ann"), ("EMAIL", "ann@example.org"))
}
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a program in the repository, which has one commit."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | AUTHOR | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
        return subprocess.run(  # noqa: S603  # the test's own words
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "prefect_smtp_relay").mkdir()
    (tmp_path / "prefect_smtp_relay" / "_version.py").write_text(
        '"""V."""\n\n__version__ = "0.2.0"\n'
    )
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "First"]):
        assert run("git", *words).returncode == 0
    return run


def release(run: Run, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return run(sys.executable, "-m", "release", *words)


def test_a_release_is_one_commit_with_a_tag(run: Run, tmp_path: Path) -> None:
    """Version, section and links change together, and an empty section is above them."""
    ran = release(run, "0.3.0")
    assert ran.returncode == 0, ran.stderr
    assert "git push origin main v0.3.0" in ran.stdout
    text = (tmp_path / "CHANGELOG.md").read_text()
    day = run("git", "log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%d").stdout.strip()
    assert f"## [Unreleased]\n\n## [0.3.0] - {day}\n\n### Added\n\n- Mail by pigeon." in text
    assert f"[Unreleased]: {URL}/compare/v0.3.0...HEAD\n" in text
    assert f"[0.3.0]: {URL}/compare/v0.2.0...v0.3.0\n[0.2.0]: " in text
    assert run("git", "describe", "--exact-match").stdout.strip() == "v0.3.0"
    assert run("git", "status", "--porcelain").stdout == ""


def test_the_notes_of_a_release_are_its_section(run: Run) -> None:
    """What GitHub shows of a release is what the changelog says of it, and no more."""
    release(run, "0.3.0")
    assert release(run, "0.3.0", "--notes").stdout == "### Added\n\n- Mail by pigeon.\n"
    wrong = release(run, "0.2.0", "--notes")
    assert (wrong.returncode, wrong.stderr) == (1, "The package has version 0.3.0, not 0.2.0.\n")


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        pytest.param("0.3", "is not a version", id="two numbers"),
        pytest.param("v0.3.0", "is not a version", id="a tag"),
        pytest.param("0.2.0", "The version is 0.2.0 already", id="the same"),
        pytest.param("0.1.9", "The version is 0.2.0 already", id="lower"),
        pytest.param("0.4.0", "The tag v0.4.0 exists", id="tagged before"),
    ],
)
def test_a_wrong_version_changes_nothing(run: Run, version: str, problem: str) -> None:
    """A version that cannot follow is told as such, before anything is written."""
    run("git", "tag", "v0.4.0")
    ran = release(run, version)
    assert ran.returncode == 1
    assert problem in ran.stderr
    assert run("git", "status", "--porcelain").stdout == ""


def test_changes_that_are_not_committed_are_refused(run: Run, tmp_path: Path) -> None:
    """A release is what everybody can see: the files in the way are named."""
    (tmp_path / "forgotten.py").touch()
    ran = release(run, "0.3.0")
    assert ran.returncode == 1
    assert "forgotten.py" in ran.stderr


def test_a_release_of_nothing_is_refused(run: Run) -> None:
    """Two releases in a row are one too many."""
    release(run, "0.3.0")
    ran = release(run, "0.3.1")
    assert ran.returncode == 1
    assert "Nothing is unreleased" in ran.stderr
