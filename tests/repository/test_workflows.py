"""What GitHub runs, as far as that can be known without GitHub."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rooms import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
FORMS = sorted(
    set((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) - {GITHUB / "ISSUE_TEMPLATE/config.yml"}
)
SCHEMAS = {
    "github-workflows": WORKFLOWS,
    "github-actions": ACTIONS,
    "github-issue-forms": FORMS,
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE/config.yml"],
    "dependabot": [GITHUB / "dependabot.yml"],
}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROGRAMS = Path(sys.executable).parent


def load(file: Path) -> dict[str, Any]:
    """Read YAML."""
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def steps(file: Path) -> Iterator[dict[str, Any]]:
    """Every step of a workflow or action."""
    content = load(file)
    for job in content.get("jobs", {"": content.get("runs", {})}).values():
        yield from job.get("steps", [])


def name(file: Path) -> str:
    """Name the file in the test's id."""
    return f"{file.parent.name}/{file.name}"


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_are_of_their_schema(schema: str) -> None:
    """GitHub would understand each file."""
    command = str(PROGRAMS / "check-jsonschema")
    ran = subprocess.run(  # noqa: S603  # our own files
        [command, "--builtin-schema", f"vendor.{schema}", *SCHEMAS[schema]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS], ids=name)
def test_what_is_run_exists(file: Path) -> None:
    """Every target of make is in the Makefile, and every script is here, and can be run."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for command in (step["run"] for step in steps(file) if "run" in step):
        words = [word for word in command.split() if "=" not in word]
        if words[0] == "make":
            assert words[1] in targets | {'"$TARGET"'}
        elif words[0].startswith(".ci/"):
            assert os.access(ROOT / words[0], os.X_OK)


@pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS], ids=name)
def test_actions_of_others_are_pinned(file: Path) -> None:
    """A tag can be moved by whoever takes over its repository; a commit cannot."""
    for uses in re.findall(r"uses: (.+)", file.read_text(encoding="utf-8")):
        assert uses.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", uses)


@pytest.mark.parametrize("file", WORKFLOWS, ids=name)
def test_a_workflow_may_read_and_no_more(file: Path) -> None:
    """What a job may beyond that is said at the job."""
    assert load(file)["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job or "uses" in job for job in load(file)["jobs"].values())


def test_the_matrix_is_what_the_package_claims() -> None:
    """Each Python version that the package names is tested, and must pass."""
    claimed = [
        found[1]
        for each in PYPROJECT["project"]["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each))
    ]
    jobs = load(GITHUB / "workflows" / "tests.yml")["jobs"]
    assert jobs["tests"]["strategy"]["matrix"]["python"] == claimed
    assert f">={claimed[0]}" == PYPROJECT["project"]["requires-python"]


def test_hooks_before_a_commit_run_what_is_installed() -> None:
    """Each program is one of those that ``make check`` installs: there is one version of it."""
    config = load(ROOT / ".pre-commit-config.yaml")
    for hook in (hook for repo in config["repos"] for hook in repo["hooks"]):
        program = Path(hook["entry"].split()[0])
        assert program.parent == Path(".venv/bin")
        assert (PROGRAMS / program.name).exists()
