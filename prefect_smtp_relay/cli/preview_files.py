"""The files of a preview: HTML, plain text and the whole mail beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from prefect_smtp_relay.cli.answer import Answer, Line, UsageError, beside
from prefect_smtp_relay.transports.outbox import FROM_PENDING
from prefect_smtp_relay.transports.recording import Preview

_SUFFIXES = (".html", ".txt", ".eml")
_NO_SENDER = "nobody yet: the relay's from_address takes its place"


def check_target(out: Path) -> None:
    """Refuse a file that cannot be written, before a flow runs.

    Raises:
        UsageError: it has another suffix, or no directory.
    """
    if out.suffix.lower() != ".html":
        raise UsageError(f"--out: {out}: name a file that ends in .html, such as mail.html.")
    if not out.parent.is_dir():
        raise UsageError(f"--out: {out}: there is no directory {out.parent}. Make it first.")


def write_all(previews: Sequence[Preview], out: Path) -> list[dict[str, Any]]:
    """Write each mail; several are numbered.

    Returns:
        What ``--json`` shows of each.

    Raises:
        UsageError: one of the files cannot be written.
    """
    several = len(previews) > 1
    stems = [f"{out.stem}-{n}" if several else out.stem for n in range(1, len(previews) + 1)]
    return [
        _describe(preview, _write(preview, out.with_name(stem)))
        for preview, stem in zip(previews, stems, strict=True)
    ]


def answer_for(mails: Sequence[dict[str, Any]]) -> Answer:
    """Say what was written."""
    lines = [line for mail in mails for line in _lines(mail)]
    return Answer({"mails": list(mails)}, [*lines, "Nothing was submitted."])


def _write(preview: Preview, stem: Path) -> dict[str, str]:
    octets = (preview.page.encode(), f"{preview.text}\n".encode(), preview.eml)
    paths: dict[str, str] = {}
    for suffix, content in zip(_SUFFIXES, octets, strict=True):
        path = stem.with_name(stem.name + suffix)
        try:
            path.write_bytes(content)
        except OSError as error:
            raise UsageError(f"--out: cannot write {path}: {error.strerror}.") from error
        paths[suffix.removeprefix(".")] = str(path)
    return paths


def _describe(preview: Preview, paths: dict[str, str]) -> dict[str, Any]:
    message = preview.message
    return {
        "subject": message.subject,
        "from": None if message.from_ == FROM_PENDING else str(message.from_),
        "to": list(map(str, message.to)),
        "cc": list(map(str, message.cc)),
        "bcc": len(message.bcc),
        "size": len(preview.eml),
        **paths,
    }


def _lines(mail: dict[str, Any]) -> Iterator[Line]:
    facts = {
        "from": mail["from"] or _NO_SENDER,
        "to": ", ".join(mail["to"]),
        "cc": ", ".join(mail["cc"]),
        "bcc": f"{mail['bcc']} recipient(s)" if mail["bcc"] else "",
        "size": f"{mail['size']:,} octets",
        "files": ", ".join(mail[suffix.removeprefix(".")] for suffix in _SUFFIXES),
    }
    yield mail["subject"] or "(no subject)"
    yield from (beside(f"  {label:<5}  ", text) for label, text in facts.items() if text)
