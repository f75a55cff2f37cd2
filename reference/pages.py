"""Which part of which page is written from what; the rest of a page is written by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from prefect_smtp_relay import SMTP, SendAnEmail, SendGrid
from reference.commands import all_commands
from reference.errors import table_of_errors
from reference.fields import table_of_fields
from reference.services import all_services
from reference.settings import table_of_settings

DOCS = Path(__file__).parents[1] / "docs" / "reference"

_PARTS: Mapping[str, Callable[[], str]] = {
    "smtp": lambda: table_of_fields(SMTP),
    "sendgrid": lambda: table_of_fields(SendGrid),
    "notification": lambda: table_of_fields(SendAnEmail),
    "settings": table_of_settings,
    "errors": table_of_errors,
    "commands": all_commands,
    "services": all_services,
}
_PART = re.compile(r"(<!-- from the code: (\w+) -->\n).*?(<!-- until here -->)", re.DOTALL)


def written() -> dict[str, str]:
    """Each page that has such a part, by its name, as it should be today."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
    return {name: _PART.sub(_anew, text) for name, text in texts.items() if _PART.search(text)}


def _anew(part: re.Match[str]) -> str:
    return f"{part[1]}\n{_PARTS[part[2]]()}\n\n{part[3]}"
