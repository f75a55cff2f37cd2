"""Questions to the person at the terminal, on stderr: stdout holds the answer only."""

from __future__ import annotations

import getpass
import sys

from prefect_smtp_relay.cli.answer import UsageError


def is_interactive() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def ask(question: str, default: str = "") -> str:
    """Ask for a line; a blank one is the default.

    Raises:
        UsageError: the input has ended.
    """
    _write(f"{question} [{default}]: " if default else f"{question}: ")
    line = sys.stdin.readline()
    if not line:
        raise UsageError("The input ended before the question was answered.")
    return line.strip() or default


def ask_secret(question: str) -> str:
    """Ask without showing what is typed.

    Raises:
        UsageError: the input has ended.
    """
    try:
        return getpass.getpass(f"{question}: ", stream=sys.stderr).strip()
    except EOFError:
        raise UsageError("The input ended before the question was answered.") from None


def ask_yes(question: str) -> bool:
    """Ask for a yes; a blank line is one."""
    return ask(f"{question} (Y/n)").lower() in {"", "y", "yes"}


def read_secret() -> str:
    """Read the first line of stdin.

    Raises:
        UsageError: it is blank.
    """
    if not (secret := sys.stdin.readline().strip("\r\n")):
        raise UsageError("Standard input is blank; pipe the secret into the command.")
    return secret


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
