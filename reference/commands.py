"""The command line: what each command does, with its options and examples."""

from __future__ import annotations

import re
from dataclasses import fields

from prefect_smtp_relay.cli import app
from prefect_smtp_relay.cli.examples import examples_of
from prefect_smtp_relay.cli.fields import SendGridFields, SmtpFields

_PROGRAM = "prefect-smtp-relay"
_FIELDS = {
    "connect smtp": ("smtp", SmtpFields),
    "connect sendgrid": ("sendgrid", SendGridFields),
    "check": ("smtp", SmtpFields),
}
"""Commands that take fields as options: the section on them, and where they are."""

_COMMAND = re.compile(rf"^## {_PROGRAM} ([\w -]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def all_commands() -> str:
    """One section a command, in the order of the help page; a group of commands has none."""
    text = app.generate_docs(heading_level=2, max_heading_level=2, flatten_commands=True)
    sections = (_section(found[1], found[2]) for found in _COMMAND.finditer(text))
    return "\n\n".join(filter(None, sections))


def _section(command: str, text: str) -> str:
    """A command's own section: its examples come first, as readers look for them."""
    is_option = command.startswith("--")
    if "```console" not in text and not is_option:
        return ""
    usage, help_text = _split_usage(text)
    if is_option:
        usage = ""  # it has the name of the process that writes this page
    parts = [f"## {command}", help_text.partition("\n\n**")[0].strip(), usage]
    if examples := re.findall(r"^    (.+)$", examples_of(command), re.MULTILINE):
        parts.append("```text\n" + "\n".join(examples) + "\n```")
    if options := re.search(r"^\*\*.*", help_text, re.MULTILINE | re.DOTALL):
        parts.append(options[0].replace("**Parameters**:", "**Options**:").strip())
    return _without_fields(command, "\n\n".join(filter(None, parts)))


def _without_fields(command: str, section: str) -> str:
    """Leave out the options that the page of fields lists, and say where they are."""
    if command not in _FIELDS:
        return section
    block, options = _FIELDS[command]
    names = "|".join(field.name.replace("_", "-") for field in fields(options))
    gone = rf"^(?:\* `--(?:{names})[ `,].*|\*\*(?:Advanced|OAuth)\*\*:)\n+"
    own = re.sub(gone, "", f"{section}\n", flags=re.MULTILINE)
    return f"{own.strip()}\n\nAnd each [field of the block](fields.md#{block}) that has an option."


def _split_usage(text: str) -> tuple[str, str]:
    usage = re.search(r"```console\n.*?\n```\n", text, re.DOTALL)
    return (usage[0].strip(), text.replace(usage[0], "").strip()) if usage else ("", text.strip())
