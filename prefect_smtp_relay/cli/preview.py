"""``preview``: the mail of a Markdown file as files to look at; nothing is submitted."""

from __future__ import annotations

import json
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from prefect_smtp_relay.cli.answer import (
    Answer,
    Flag,
    Json,
    Line,
    UsageError,
    beside,
    complain,
    show,
)
from prefect_smtp_relay.compose.options import MailOptions
from prefect_smtp_relay.compose.preview import render
from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.mail.sender import FROM_PENDING
from prefect_smtp_relay.spool.local import LocalStore
from prefect_smtp_relay.transports.recording import Preview

_NOBODY = "recipient@preview.invalid"
"""RFC 2606, section 2: never anybody's address."""

_NO_SENDER = "nobody yet: the relay's from_address takes its place"

_OTHERWISE = (
    "Name a file that ends in .md; to see the mails of a flow, run it with"
    " PREFECT_INTEGRATIONS_SMTP_RELAY_CAPTURE_TO=mails."
)


@Parameter(name="*")
@dataclass(frozen=True)
class Mail:
    """What FILE.md does not say of its mail.

    Args:
        subject: By default the name of the file.
        to: The recipients, with commas between them.
        from_: The sender, by default the setting default_from.
        preheader: What inboxes show after the subject.
        inline_image: ID=FILE for a picture that the body shows as cid:ID. Can be repeated.
        context: A JSON file with the values of the template.
    """

    subject: str | None = None
    to: str | None = None
    from_: Annotated[str | None, Parameter(name="--from")] = None
    preheader: str | None = None
    inline_image: Annotated[list[str] | None, Parameter(negative="")] = None
    context: Path | None = None

    def options(self) -> MailOptions:
        """The arguments of the mail.

        Raises:
            UsageError: a file of it cannot be read.
        """
        options: MailOptions = {"from_": self.from_, "preheader": self.preheader or ""}
        if self.inline_image is not None:
            options["inline_images"] = dict(map(_split_image, self.inline_image))
        if self.context is not None:
            options["context"] = _read_context(self.context)
        return options


_UNSAID = Mail()


def preview(
    source: Path,
    /,
    *,
    out: Path = Path("mail.html"),
    mail: Mail = _UNSAID,
    open_: Annotated[Flag, Parameter(name="--open")] = False,
    as_json: Json = False,
) -> int:
    """Write a mail as HTML, plain text and .eml next to each other; submit nothing.

    Args:
        source: FILE.md, the body of the mail.
        out: The HTML file; the others are next to it.
        mail: What FILE.md does not say.
        open_: Open the HTML in the browser.
        as_json: Print one JSON document.
    """
    if source.suffix.lower() not in {".md", ".markdown"}:
        raise UsageError(f"{source}: is not a Markdown file. {_OTHERWISE}")
    if not source.is_file():
        raise UsageError(f"{source}: there is no such file.")
    if out.suffix.lower() != ".html":
        raise UsageError(f"--out: {out}: is not HTML. Name a file that ends in .html.")
    if not out.parent.is_dir():
        raise UsageError(f"--out: {out}: there is no directory {out.parent}. Make it first.")
    subject = source.stem if mail.subject is None else mail.subject
    options = mail.options()
    rendered = render(mail.to or _NOBODY, subject, _read(source, "FILE.md"), **options)
    data = _describe(rendered) | _write(rendered, out)
    lines = [*_lines(data), "Nothing was submitted."]
    code = show(Answer({"mails": [data]}, lines), as_json=as_json)
    if open_ and not webbrowser.open(out.resolve().as_uri()):
        complain(f"No browser could be opened: open {out} yourself.")
    return code


def _write(rendered: Preview, out: Path) -> dict[str, str]:
    paths = {end: out.with_suffix(end) for end in rendered.files}
    try:
        store = LocalStore(out.parent, "--out")
        for end, text in rendered.files.items():
            store.replace(paths[end].name, text)
    except RelayConfigurationError as error:
        raise UsageError(str(error)) from error
    return {end.removeprefix("."): str(path) for end, path in paths.items()}


def _describe(rendered: Preview) -> dict[str, Any]:
    message = rendered.message
    return {
        "subject": message.subject,
        "from": None if message.from_ == FROM_PENDING else str(message.from_),
        "to": list(map(str, message.to)),
        "cc": [],
        "bcc": 0,
        "size": len(rendered.eml),
    }


def _lines(data: dict[str, Any]) -> Iterator[Line]:
    yield data["subject"] or "(no subject)"
    yield beside("  from   ", data["from"] or _NO_SENDER)
    yield beside("  to     ", ", ".join(data["to"]))
    yield beside("  size   ", f"{data['size']:,} bytes")
    yield beside("  files  ", ", ".join((data["html"], data["txt"], data["eml"])))


def _split_image(entry: str) -> tuple[str, str]:
    content_id, _, file = entry.partition("=")
    if not (content_id and file):
        raise UsageError(f"--inline-image: {entry!r}: write ID=FILE, such as graph=graph.png.")
    return content_id, file


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{name}: cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: {path} is not UTF-8 text at byte {error.start}.") from error


def _read_context(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(_read(path, "--context"))
    except json.JSONDecodeError as error:
        raise UsageError(
            f"--context: {path}, line {error.lineno}, column {error.colno}: {error.msg}. Write"
            " JSON."
        ) from error
    if not isinstance(values, dict):
        raise UsageError(f'--context: {path}: expected an object, such as {{"incident": {{}}}}.')
    return values
