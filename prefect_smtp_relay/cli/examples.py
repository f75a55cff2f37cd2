"""Examples of each command, as its help page shows them."""

from __future__ import annotations

_EXAMPLES = {
    "": ("connect smtp --preset gmail", "status", "send ann@example.org"),
    "init": (
        "init",
        "init --recipient oncall@example.org",
        "init mail --pool kubernetes --webhook chat",
    ),
    "connect": ("connect smtp --preset gmail", "connect sendgrid"),
    "outbox": ("outbox list", "outbox show 6f1c2d3e", "outbox flush --dry-run"),
    "connect smtp": (
        "connect smtp --preset gmail",
        "connect smtp --name main --address smtp.example.org",
        "connect smtp --from-env --overwrite",
    ),
    "connect sendgrid": (
        "connect sendgrid",
        "connect sendgrid --name eu --api-url https://api.eu.sendgrid.com",
        "connect sendgrid --api-key-stdin < key.txt",
    ),
    "disconnect": ("disconnect smtp", "disconnect smtp/main"),
    "status": ("status", "status --json"),
    "send": (
        "send ann@example.org",
        "send ann@example.org --subject Report --attach report.pdf",
        "send ann@example.org --relay sendgrid/eu",
    ),
    "preview": ("preview mail.md", "preview mail.md --context values.json --open"),
    "check": (
        "check",
        "check smtp/main --recipient ann@example.org",
        "check --address smtp.example.org --port 465",
    ),
    "preset": ("preset", "preset office365"),
    "outbox list": ("outbox list", "outbox list --older-than 2h"),
    "outbox show": (
        "outbox show 6f1c2d3e",
        "outbox show 6f1c2d3e --output mail.eml",
        "outbox show 6f1c2d3e --eml | less",
    ),
    "outbox flush": (
        "outbox flush --dry-run",
        "outbox flush",
        "outbox flush 6f1c2d3e",
        "outbox flush --newest-copy --yes",
    ),
    "outbox discard": (
        "outbox discard 6f1c2d3e",
        "outbox discard --older-than 30d --dry-run",
        "outbox discard --older-than 30d --yes",
    ),
    "outbox import": ("outbox import", "outbox import /srv/former-outbox"),
}


def examples_of(command: str) -> str:
    """The end of a command's help page, in Markdown; empty for a command without examples."""
    lines = "\n".join(f"    prefect-smtp-relay {line}" for line in _EXAMPLES.get(command, ()))
    return f"**Examples**\n\n{lines}" if lines else ""
