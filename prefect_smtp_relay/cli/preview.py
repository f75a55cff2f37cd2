"""``preview``: a mail as files to look at, from Markdown or from a flow; nothing is submitted."""

from __future__ import annotations

import json
import re
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from prefect_smtp_relay.cli.answer import PROBLEM, Answer, Flag, Json, UsageError, complain, show
from prefect_smtp_relay.cli.flow_file import FlowFailed, mails_of_flow
from prefect_smtp_relay.cli.preview_files import answer_for, check_target, write_all
from prefect_smtp_relay.compose.options import MailOptions
from prefect_smtp_relay.compose.preview import render
from prefect_smtp_relay.transports.recording import Preview

_NOBODY = "recipient@preview.invalid"
"""RFC 2606, section 2: never anybody's address."""

_FLOW = re.compile(r"(?P<path>.+\.py)(?::(?P<name>\w+))?")


@Parameter(name="*")
@dataclass(frozen=True)
class MarkdownMail:
    """What FILE.md does not say of its mail.

    Args:
        subject: Of FILE.md; by default the name of the file.
        to: Of FILE.md; the recipients, with commas between them.
        from_: Of FILE.md; the sender, by default the setting default_from.
        preheader: Of FILE.md; what inboxes show behind the subject.
        inline_image: Of FILE.md; ID=FILE for a picture that it shows as cid:ID. Can be repeated.
    """

    subject: str | None = None
    to: str | None = None
    from_: Annotated[str | None, Parameter(name="--from")] = None
    preheader: str | None = None
    inline_image: Annotated[list[str] | None, Parameter(negative="")] = None


_UNSAID = MarkdownMail()


def preview(
    source: str,
    /,
    *,
    out: Path = Path("mail.html"),
    context: Path | None = None,
    mail: MarkdownMail = _UNSAID,
    open_: Annotated[Flag, Parameter(name="--open")] = False,
    as_json: Json = False,
) -> int:
    """Write a mail as HTML, plain text and .eml beside each other; submit nothing.

    FILE.md is the body of one mail. Of a Python file, the flow is run with its mail captured, each
    mail into files of its own. The flow and its tasks are called as plain functions: no run, no
    retries, and nothing of this package asks the Prefect API. **What else they do, they do.**

    Args:
        source: FILE.md, FILE.py with one flow, or FILE.py:FLOW.
        out: The HTML file; the others stand beside it. Several mails are numbered.
        context: A JSON file: the template context of FILE.md, or the parameters of the flow.
        mail: What FILE.md does not say.
        open_: Open the HTML of the first mail in the browser.
        as_json: Print one JSON document.
    """
    check_target(out)
    values = None if context is None else _read_context(context)
    try:
        previews = _previews(source, mail, values)
    except FlowFailed as error:
        return _failed(str(error), as_json=as_json)
    if not previews:
        return _failed(f"{source}: the flow sent no mail, so nothing was written.", as_json=as_json)
    mails = write_all(previews, out)
    code = show(answer_for(mails), as_json=as_json)
    if open_ and not webbrowser.open(Path(mails[0]["html"]).resolve().as_uri()):
        complain(f"No browser could be opened: open {mails[0]['html']} yourself.")
    return code


def _previews(source: str, mail: MarkdownMail, values: dict[str, Any] | None) -> list[Preview]:
    found = _FLOW.fullmatch(source)
    path = Path(found["path"] if found else source)
    if not found and path.suffix.lower() not in {".md", ".markdown"}:
        raise UsageError(f"{source}: is neither FILE.md nor FILE.py nor FILE.py:FLOW; name one.")
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file.")
    if not found:
        return [_render(path, mail, values)]
    for name, value in vars(mail).items():
        if value is not None:
            option = name.strip("_").replace("_", "-")
            raise UsageError(f"--{option}: is for FILE.md; a flow writes its own mail.")
    return mails_of_flow(path, found["name"] or "", values or {})


def _render(path: Path, mail: MarkdownMail, values: dict[str, Any] | None) -> Preview:
    options: MailOptions = {"from_": mail.from_, "preheader": mail.preheader or ""}
    if mail.inline_image is not None:
        options["inline_images"] = dict(map(_split_image, mail.inline_image))
    if values is not None:
        options["context"] = values
    subject = path.stem if mail.subject is None else mail.subject
    return render(mail.to or _NOBODY, subject, _read(path, "FILE.md"), **options)


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
        raise UsageError(f"{name}: {path} is no UTF-8 text at octet {error.start}.") from error


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


def _failed(text: str, *, as_json: bool) -> int:
    data = {"error": text, "type": "FlowFailed"}
    return show(Answer(data, complaints=[text], code=PROBLEM), as_json=as_json)
