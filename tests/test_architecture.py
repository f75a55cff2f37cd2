"""The dependencies point one way, and what is pure stays without Prefect."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import prefect_smtp_relay
from tests.rooms import PACKAGE, ROOMS

ROOT = PACKAGE.name
FILES = sorted(PACKAGE.rglob("*.py"))

PURE = ROOMS[: ROOMS.index("settings")]
"""They import no Prefect."""

PUBLIC = [
    "SMTP",
    "Attachment",
    "Cause",
    "Mailbox",
    "Preview",
    "Receipt",
    "Refusal",
    "RunReport",
    "SendAnEmail",
    "SendGrid",
    "__version__",
    "asend_an_email",
    "asend_emails",
    "cause_of",
    "describe_flow_run",
    "email_on_cancellation",
    "email_on_completion",
    "email_on_crash",
    "email_on_failure",
    "email_on_recovery",
    "escape_markdown",
    "format_duration",
    "format_time",
    "in_batches",
    "mask",
    "render",
    "runs_url",
    "send_an_email",
    "send_emails",
]


def _part(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imported(file: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or in a function, for types or for use."""
    yield from _imported_below(ast.parse(file.read_text(encoding="utf-8")), file)


def _imported_below(tree: ast.AST, file: Path) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _imported_rooms(file: Path) -> set[str]:
    """The rooms that a file names, type-only imports included."""
    names = [name.split(".") for name in _imported(file)]
    first = {name[1] for name in names if name[0] == ROOT and len(name) > 1}
    # A public name comes from the room where it is at home.
    homes = prefect_smtp_relay._HOMES
    return {homes.get(name, name).split(".")[0] for name in first}


def test_each_module_belongs_to_a_room() -> None:
    """The package's folder holds the rooms, and nothing else."""
    assert {_part(file) for file in FILES} - {"__init__"} == {*ROOMS}


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_know_only_those_before_them(room: str) -> None:
    """Dependencies go one way, type-only imports included."""
    before = {*ROOMS[: ROOMS.index(room) + 1]}
    for file in FILES:
        if _part(file) == room:
            assert _imported_rooms(file) <= before, file


def test_transports_do_not_know_each_other() -> None:
    """They share the seam, the values of a check, the disk, and what bounds a connection's time."""
    for file in (PACKAGE / "transports").rglob("*.py"):
        own = file.relative_to(PACKAGE / "transports").parts[0]
        prefix = f"{ROOT}.transports."
        known = {n.removeprefix(prefix).split(".")[0] for n in _imported(file) if prefix in n}
        shared = {
            "base",
            "bulk",
            "check_report",
            "check_table",
            "deadline",
            "directory",
            "http",
            "masking",
            "redaction",
            "resolver",
            "waiting",
        }
        assert known <= {own, *shared}, file


@pytest.mark.parametrize("part", PURE)
def test_pure_parts_never_name_prefect(part: str) -> None:
    """No import of Prefect stands in a pure part, not even inside a function."""
    for file in FILES:
        if _part(file) == part:
            assert not [name for name in _imported(file) if name.split(".")[0] == "prefect"], file


def test_no_private_api_of_prefect() -> None:
    """Nothing touches ``prefect._internal``, or another private name of Prefect."""
    for file in FILES:
        for name in _imported(file):
            words = name.split(".")
            assert words[0] != "prefect" or not any(w.startswith("_") for w in words), (file, name)
        assert "prefect._internal" not in file.read_text(encoding="utf-8"), file


def _pure_modules() -> list[str]:
    found = pkgutil.walk_packages([str(PACKAGE)], f"{ROOT}.", onerror=lambda _: None)
    names = [module.name for module in found if module.name.split(".")[1] in PURE]
    return [ROOT, *names]


def test_pure_parts_do_not_load_prefect() -> None:
    """Importing the package and every pure module leaves Prefect unloaded."""
    modules = _pure_modules()
    assert f"{ROOT}.transports.smtp.session.session" in modules
    assert f"{ROOT}.rendering.markdown" in modules
    script = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'prefect'])"
    )
    result = subprocess.run(  # noqa: S603  # our own interpreter, fixed arguments
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_files_can_be_read_in_one_sitting(file: Path) -> None:
    """No file has more than 300 lines, but for the one tree of errors."""
    most = 400 if file.name == "exceptions.py" else 300
    assert len(file.read_text(encoding="utf-8").splitlines()) <= most


def test_the_public_names() -> None:
    """What users import is pinned: a change here is a change for them."""
    assert prefect_smtp_relay.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(prefect_smtp_relay))


@pytest.mark.parametrize("name", PUBLIC)
def test_each_public_name_can_be_imported(name: str) -> None:
    """Every public name is there when it is asked for."""
    assert getattr(importlib.import_module(ROOT), name) is not None


def test_a_name_that_does_not_exist() -> None:
    """A misspelt name is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="no attribute 'send_email'"):
        getattr(prefect_smtp_relay, "send_email")  # noqa: B009  # mypy knows that there is none
