"""Questions to the person at the terminal, on stderr: stdout has the answer only."""

from __future__ import annotations

import getpass
import sys

from rich.console import Console
from rich.prompt import Confirm, Prompt

from prefect_smtp_relay.cli.answer import UsageError, note


def is_interactive() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def ask(question: str, default: str = "", *, is_secret: bool = False) -> str:
    """Ask for a line; an empty one is the default. What is typed for a secret is not shown.

    Raises:
        UsageError: the input has ended.
    """
    try:
        if is_secret:
            # Rich asks before it switches the echo off.
            return getpass.getpass(f"{question}: ", stream=sys.stderr).strip()
        shown = bool(default)
        return Prompt.ask(question, console=_stderr(), default=default, show_default=shown).strip()
    except EOFError:
        raise UsageError("The input ended before the question was answered.") from None


def ask_yes(question: str) -> bool:
    """Ask for a yes; an empty line is a no.

    Raises:
        UsageError: the input has ended.
    """
    try:
        return Confirm.ask(question, console=_stderr(), default=False)
    except EOFError:
        raise UsageError("The input ended before the question was answered.") from None


def ask_which(question: str, choices: dict[str, str]) -> str:
    """Ask for one of several letters; an empty line is the last one.

    Args:
        question: what it is about.
        choices: what each letter means.

    Raises:
        UsageError: the input has ended.
    """
    for letter, meaning in choices.items():
        note(f"  {letter}  {meaning}")
    try:
        return Prompt.ask(
            question, console=_stderr(), choices=list(choices), default=list(choices)[-1]
        )
    except EOFError:
        raise UsageError("The input ended before the question was answered.") from None


def _stderr() -> Console:
    return Console(stderr=True, color_system=None)


def read_secret() -> str:
    """Read the first line of stdin.

    Raises:
        UsageError: it is empty.
    """
    if not (secret := sys.stdin.readline().strip("\r\n")):
        raise UsageError("Standard input is empty. Pipe the secret into the command.")
    return secret
