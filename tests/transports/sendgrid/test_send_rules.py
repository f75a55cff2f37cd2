"""The local SendGrid refuses what SendGrid would refuse, so that its other tests mean something."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from .api_server import ApiServer
from .send_rules import MAX_BYTES, SCHEMA, violations

Payload = dict[str, Any]
Change = Callable[[Payload], object]

GOOD: Payload = {
    "personalizations": [
        {
            "to": [{"email": "ann@example.org", "name": "Ann"}],
            "cc": [{"email": "bob@example.org", "name": '"Doe, Bob"'}],
            "bcc": [{"email": "cleo@example.org"}],
        },
        {"to": [{"email": "dan@example.org"}], "custom_args": {"message_id": "<x@example.com>"}},
    ],
    "from": {"email": "ops@example.com", "name": "On Call, Night"},
    "reply_to_list": [{"email": "desk@example.com"}, {"email": "ops@example.com"}],
    "subject": "Disk full",
    "content": [
        {"type": "text/plain", "value": "Text"},
        {"type": "text/html", "value": "<p>HTML</p>"},
    ],
    "attachments": [
        {"content": "bGluZQ==", "type": "text/plain", "filename": "a.txt"},
        {
            "content": "bGluZQ==",
            "type": "image/png",
            "filename": "b.png",
            "disposition": "inline",
            "content_id": "b",
        },
    ],
    "headers": {"Message-ID": "<x@example.com>", "X-Received": "", "X-To": "1"},
    "categories": ["incident", "night"],
    "mail_settings": {"sandbox_mode": {"enable": True}},
}


def _encode(payload: Payload) -> bytes:
    return json.dumps(payload).encode()


def _set(value: object, *path: str | int) -> Change:
    """Put a value into a payload; the last word of the path is its name or place."""

    def change(payload: Payload) -> None:
        place: Any = payload
        for step in path[:-1]:
            place = place[step]
        if isinstance(place, list) and path[-1] == len(place):
            place.append(value)
        else:
            place[path[-1]] = value

    return change


def test_the_schema_is_one() -> None:
    """The schema itself is well-formed."""
    Draft202012Validator.check_schema(SCHEMA)


def test_a_good_mail_passes() -> None:
    """A mail with everything that a mail may have breaks no rule."""
    assert violations(_encode(GOOD)) == []


@pytest.mark.parametrize("field", ["personalizations", "from", "subject", "content"])
def test_what_is_required(field: str) -> None:
    """A mail needs recipients, a sender, a subject and a content."""
    payload = {name: value for name, value in GOOD.items() if name != field}
    (error,) = violations(_encode(payload))
    assert repr(field) in error["message"]


RECIPIENTS = ("personalizations", 0)
WRONG: list[tuple[str, Change, str]] = [
    ("an unknown field", _set(1, "priority"), ""),
    ("an unknown field of a mailbox", _set(1, "from", "x"), "from"),
    ("no recipients", _set([], "personalizations"), "personalizations"),
    ("nobody in to", _set([], *RECIPIENTS, "to"), "personalizations.0.to"),
    ("no to", _set({"cc": [{"email": "x@example.org"}]}, *RECIPIENTS), "personalizations.0"),
    ("an empty bcc", _set([], *RECIPIENTS, "bcc"), "personalizations.0.bcc"),
    ("no address", _set({"name": "Ann"}, *RECIPIENTS, "to", 0), "personalizations.0.to.0"),
    ("half an address", _set("ann", "from", "email"), "from.email"),
    ("a non-ASCII address", _set("jörg@example.com", "from", "email"), "from.email"),
    (
        "a name with a comma",
        _set("A, B", *RECIPIENTS, "to", 0, "name"),
        "personalizations.0.to.0.name",
    ),
    ("a name of null", _set(None, "from", "name"), "from.name"),
    ("a name of two lines", _set("a\nb", "from", "name"), "from.name"),
    (
        "twice in to and cc",
        _set("ANN@example.org", *RECIPIENTS, "cc", 0, "email"),
        "personalizations",
    ),
    (
        "twice over two",
        _set("Ann@example.org", "personalizations", 1, "to", 0, "email"),
        "personalizations",
    ),
    ("1001 recipients", lambda p: p.update(personalizations=_crowd(1001)), "personalizations"),
    ("reply_to with reply_to_list", _set({"email": "x@example.org"}, "reply_to"), ""),
    ("an empty reply_to_list", _set([], "reply_to_list"), "reply_to_list"),
    ("an empty subject", _set("", "subject"), "subject"),
    ("a subject of two lines", _set("a\r\nb", "subject"), "subject"),
    ("no content", _set([], "content"), "content"),
    ("HTML before text", lambda p: p["content"].reverse(), "content"),
    ("an empty text", _set("", "content", 0, "value"), "content"),
    ("text twice", _set({"type": "text/plain", "value": "x"}, "content", 2), "content"),
    ("another content", _set("text/calendar", "content", 0, "type"), "content"),
    ("an empty file", _set("", "attachments", 0, "content"), "attachments.0.content"),
    ("no base64", _set("b GluZQ", "attachments", 0, "content"), "attachments.0.content"),
    ("no file name", _set(None, "attachments", 0, "filename"), "attachments.0.filename"),
    (
        "a type with a parameter",
        _set("text/plain; a=b", "attachments", 0, "type"),
        "attachments.0.type",
    ),
    (
        "another disposition",
        _set("hidden", "attachments", 0, "disposition"),
        "attachments.0.disposition",
    ),
    ("inline without an id", _set("inline", "attachments", 0, "disposition"), "attachments.0"),
    (
        "an id of two lines",
        _set("a\nb", "attachments", 1, "content_id"),
        "attachments.1.content_id",
    ),
    ("an id twice", _set("b", "attachments", 0, "content_id"), "attachments"),
    ("a header that is not a text", _set(5, "headers", "X-A"), "headers.X-A"),
    ("a header that is not encoded", _set("Größe", "headers", "X-A"), "headers.X-A"),
    ("a header of two lines", _set("a\r\n b", "headers", "X-A"), "headers.X-A"),
    ("a header name with a space", _set("x", "headers", "X A"), "headers"),
    ("a non-ASCII header name", _set("x", "headers", "X-Größe"), "headers"),
    ("a header in two cases", _set("x", "headers", "message-id"), ""),
    ("eleven categories", _set([f"c{n}" for n in range(11)], "categories"), "categories"),
    ("a category twice", _set(["a", "a"], "categories"), "categories"),
    ("a long category", _set(["x" * 256], "categories"), "categories.0"),
    ("a non-ASCII category", _set(["ü"], "categories"), "categories.0"),
    ("custom arguments at the root", _set({"n": "x"}, "custom_args"), ""),
    (
        "a custom argument that is not a text",
        _set(5, "personalizations", 1, "custom_args", "n"),
        "personalizations.1.custom_args.n",
    ),
    (
        "large custom arguments",
        _set("x" * 10_000, "personalizations", 1, "custom_args", "n"),
        "personalizations.1.custom_args",
    ),
    ("no switch", _set({}, "mail_settings", "sandbox_mode"), "mail_settings.sandbox_mode"),
    *(
        (f"the header {name}", _set("x", "headers", name), "headers")
        for name in ("x-sg-id", "X-SG-EID", "Received", "dkim-signature", "CONTENT-TYPE", "To")
    ),
    *(
        (f"the header {name}", _set("x", "headers", name), "headers")
        for name in ("Content-Transfer-Encoding", "from", "Subject", "reply-to", "CC", "bCc")
    ),
]


def _crowd(count: int) -> list[Payload]:
    crowd = [{"email": f"u{number}@example.org"} for number in range(count)]
    return [{"to": crowd[:500]}, {"to": crowd[500:]}]


@pytest.mark.parametrize(("change", "field"), [pytest.param(c, f, id=i) for i, c, f in WRONG])
def test_what_is_refused(change: Change, field: str) -> None:
    """Each breach of a rule is told with the field in which it stands."""
    payload = copy.deepcopy(GOOD)
    change(payload)
    assert {error["field"] for error in violations(_encode(payload))} == {field}


@pytest.mark.parametrize("body", [b"", b"[1", b'{"subject": "\xff"}'])
def test_what_is_no_json(body: bytes) -> None:
    """A body that is not JSON in UTF-8 is one error."""
    assert [error["message"] for error in violations(body)] == ["Bad Request: no JSON in UTF-8"]


def test_what_is_too_large() -> None:
    """More than 30 MB are too much."""
    (error,) = violations(_encode(GOOD) + b" " * MAX_BYTES)
    assert error["message"] == "more than 30 MB"


def test_the_server_answers_as_sendgrid_does(api: ApiServer) -> None:
    """A wrong mail gets 400 with its errors, a right one 202, whatever else is posted the next."""
    with httpx.Client(base_url=api.url, trust_env=False) as client:
        wrong = client.post("/v3/mail/send", json={**GOOD, "subject": ""})
        right = client.post("/v3/mail/send", json=GOOD)
        other = client.post("/v3/elsewhere", json={})
    assert (wrong.status_code, right.status_code, other.status_code) == (400, 202, 202)
    assert {error["field"] for error in wrong.json()["errors"]} == {"subject"}
