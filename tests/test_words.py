"""The words of the texts that people read: standard terms and plain English, and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import prefect_smtp_relay
from prefect_smtp_relay import SMTP, SendAnEmail, SendGrid
from prefect_smtp_relay.blocks.presets import PRESETS
from tests.words import WRONG

PACKAGE = Path(prefect_smtp_relay.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

_FIELD = re.compile(r"\*([^*]+)\* \(`(\w+)`\)")


def _texts(file: Path) -> Iterator[tuple[int, str]]:
    """Every string of a file with a space in it, pieces of f-strings too, but no docstring."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    for node in texts:
        if isinstance(node.value, str) and " " in node.value and id(node) not in silent:
            yield node.lineno, node.value


def _commands_help(file: Path) -> Iterator[tuple[int, str]]:
    """The docstrings of what a user meets in help pages: commands, tasks and flows."""
    if {"cli", "flows", "tasks.py"} & {*file.relative_to(PACKAGE).parts}:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield node.lineno, ast.get_docstring(node) or ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_text_has_a_word_that_is_not_ours(file: Path) -> None:
    """Errors, log lines, help and forms use the words of the glossary, and no others."""
    found = [
        f"{file.name}:{line}: {word!r} in {text!r}"
        for line, text in (*_texts(file), *_commands_help(file))
        for word in WRONG.findall(text)
    ]
    assert not found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_fields_are_named_by_their_titles(file: Path) -> None:
    """Where a text names a field as the form does, the form has that title for it."""
    known = {
        (field.title, name)
        for block in (SMTP, SendGrid, SendAnEmail)
        for name, field in block.model_fields.items()
    }
    named = {pair for _, text in _texts(file) for pair in _FIELD.findall(text)}
    assert named <= known


@pytest.mark.parametrize("name", PRESETS)
def test_presets_use_the_same_words(name: str) -> None:
    """What is to be prepared at a mail service is read by the same people."""
    preset = PRESETS[name]
    assert not WRONG.findall("\n".join([preset.title, preset.username, *preset.advice]))
