"""CONTRIBUTING tells the truth about today."""

from __future__ import annotations

import re

import pytest

from tests.rooms import ROOT, tree

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)


def test_the_tree_is_the_rooms_with_their_captions() -> None:
    """What CONTRIBUTING shows is what ``python -m tests.rooms`` prints today."""
    assert f"```\n{tree()}\n```\n" in TEXT


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_is_explained(target: str) -> None:
    """Every target of the Makefile is named, and what it does."""
    assert f"`make {target}`" in TEXT


def test_no_test_imports_another() -> None:
    """What tests share is in modules that are not tests, so that each file runs alone."""
    imports = re.compile(r"^\s*(?:from|import) \S*\btest_\w+", re.MULTILINE)
    for file in (ROOT / "tests").rglob("*.py"):
        assert not imports.search(file.read_text(encoding="utf-8")), file
