"""What the mails of this package about runs have in common: their parts in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Required

from prefect_smtp_relay.compose.options import MailOptions
from prefect_smtp_relay.rendering.quoting import clean, escape_markdown
from prefect_smtp_relay.transports.masking import mask


class OwnMail(MailOptions, total=False):
    """The arguments of `send_an_email`, but for its recipients."""

    subject: Required[str]
    body: Required[str]


def one_line(text: str, most: int | None = None) -> str:
    """Write a text in one line, masked: a name may hold line ends and secrets.

    Args:
        text: of any length.
        most: how many characters it may have.
    """
    printable = "".join(c if c.isprintable() else " " for c in clean(mask(text)))
    line = " ".join(printable.split())
    return line if most is None or len(line) <= most else f"{line[: most - 1]}…"


def buttons(links: Mapping[str, str]) -> str:
    """Write a row of buttons, masked; those without an address are left out."""
    return " ".join(
        f'[{escape_markdown(mask(text))}](<{url}> "btn")' for text, url in links.items() if url
    )


def facts(values: Mapping[str, str]) -> str:
    """Write a table of labels and values, masked; empty values are left out."""
    rows = [f"| {name} | {escape_markdown(mask(fact))} |" for name, fact in values.items() if fact]
    return "\n".join(["| | |", "|-|-|", *rows]) if rows else ""
