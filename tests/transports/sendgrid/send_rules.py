"""What SendGrid checks of a mail, told in its way: ``{"field": ..., "message": ...}`` each."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

SCHEMA = json.loads(Path(__file__).with_name("mail_send.schema.json").read_text("utf-8"))
MAX_RECIPIENTS = 1000
MAX_BYTES = 30 * 1024 * 1024
MAX_CUSTOM_BYTES = 10_000

_VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
Error = dict[str, str]


def violations(body: bytes) -> list[Error]:
    """Check a request as SendGrid does.

    Args:
        body: of the request.

    Returns:
        Its ``errors``; none where it would accept the mail.
    """
    repeated: list[Error] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        repeated.extend(_refused(_twice(name.lower() for name, _ in pairs), "", "is there twice"))
        return dict(pairs)

    try:
        payload = json.loads(body, object_pairs_hook=note)
    except ValueError:
        return [_error("", "Bad Request: no JSON in UTF-8")]
    found = [
        _error(".".join(map(str, problem.absolute_path)), problem.message[:300])
        for problem in _VALIDATOR.iter_errors(payload)
    ]
    if len(body) > MAX_BYTES:
        found.append(_error("", "more than 30 MB"))
    return found + repeated or [error for rule in _RULES for error in rule(payload)]


def _error(field: str, message: str) -> Error:
    return {"field": field, "message": message}


def _refused(values: Iterable[str], field: str, why: str) -> Iterator[Error]:
    yield from (_error(field, f"{value} {why}") for value in values)


def _twice(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


def _recipients(payload: dict[str, Any]) -> Iterator[Error]:
    addresses = [
        mailbox["email"].lower()
        for personalization in payload["personalizations"]
        for field in ("to", "cc", "bcc")
        for mailbox in personalization.get(field, ())
    ]
    yield from _refused(_twice(addresses), "personalizations", "is included more than once")
    if len(addresses) > MAX_RECIPIENTS:
        yield _error("personalizations", "There is a limit of 1000 total recipients")


def _custom_args(payload: dict[str, Any]) -> Iterator[Error]:
    for number, personalization in enumerate(payload["personalizations"]):
        if len(json.dumps(personalization.get("custom_args", {})).encode()) > MAX_CUSTOM_BYTES:
            yield _error(f"personalizations.{number}.custom_args", "more than 10,000 bytes")


def _contents(payload: dict[str, Any]) -> Iterator[Error]:
    for number, file in enumerate(payload.get("attachments", ())):
        try:
            b64decode(file["content"], validate=True)
        except ValueError:
            yield _error(f"attachments.{number}.content", "is no base64")


def _content_ids(payload: dict[str, Any]) -> Iterator[Error]:
    ids = [f["content_id"] for f in payload.get("attachments", ()) if "content_id" in f]
    yield from _refused(_twice(ids), "attachments", "is there twice")


_RULES: tuple[Callable[[dict[str, Any]], Iterator[Error]], ...] = (
    *(_recipients, _custom_args, _contents, _content_ids),
)
