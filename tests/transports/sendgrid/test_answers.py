from __future__ import annotations

import gzip
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    DeliveryError,
    PermanentFailure,
    TransientFailure,
)
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.sendgrid.answer import Answer

from .api_server import ApiServer, accept, reply

Deliver = Callable[..., Receipt]
NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def _errors(*errors: Any) -> str:
    return json.dumps({"errors": list(errors)})


def test_an_accepted_mail(
    api: ApiServer, deliver: Deliver, make_message: Callable[..., Message]
) -> None:
    """202 gives a receipt with SendGrid's id; Bcc recipients are counted, not named."""
    api.answers = [accept("abc.123")]
    receipt = deliver(make_message(cc="bob@example.org", bcc="cleo@example.org"))
    assert receipt.model_dump(exclude={"submitted_at"}) == {
        "message_id": "<id-1@example.com>",
        "relay": "",
        "transport": api.url.replace("http", "sendgrid"),
        "outcome": "accepted",
        "accepted": ("ann@example.org", "bob@example.org"),
        "refused": {},
        "bcc_accepted": 1,
        "bcc_refused": 0,
        "response": "202 Accepted",
        "provider_id": "abc.123",
        "size": len(api.requests[0].body),
        "left_out": (),
        "failed_over_from": (),
    }


def test_the_request(api: ApiServer, deliver: Deliver, canary: str) -> None:
    """One POST goes to the v3 endpoint, with the key, and asks for an answer that is not packed."""
    deliver(categories=("incident",))
    (request,) = api.requests
    assert (request.method, request.path) == ("POST", "/v3/mail/send")
    wanted = ("authorization", "content-type", "accept", "accept-encoding")
    assert {name: request.headers[name] for name in wanted} == {
        "authorization": f"Bearer {canary}",
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
    }
    (shown,) = request.payload["personalizations"]
    assert shown["to"] == [{"email": "ann@example.org"}]
    assert request.payload["categories"] == ["incident"]


@pytest.mark.parametrize("status", [200, 202])
def test_sandbox_mode(api: ApiServer, deliver: Deliver, status: int) -> None:
    """In sandbox mode SendGrid's 200 is good, and the receipt says what it is."""
    api.answers = [reply(status)]
    receipt = deliver(sandbox_mode=True)
    assert receipt.response.startswith(str(status))
    assert receipt.response.endswith("(sandbox mode)")
    assert api.requests[0].payload["mail_settings"] == {"sandbox_mode": {"enable": True}}


@pytest.mark.parametrize("status", [200, 201, 204, 301, 302, 307, 308])
def test_an_answer_that_is_not_sendgrids(api: ApiServer, deliver: Deliver, status: int) -> None:
    """Another 2xx or a redirect accepts nothing, and is not followed."""
    api.answers = [reply(status, location="/elsewhere")]
    with pytest.raises(PermanentFailure, match=r"redirects are not followed\. Check \*API URL"):
        deliver()
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (400, PermanentFailure, "Change what the reason names."),
        (401, AuthenticationFailed, "The API key is not accepted. Set *API key* (`api_key`) of"),
        (403, AuthenticationFailed, "Give the API key the scope mail.send, and set *From address*"),
        (404, PermanentFailure, "Check *API URL* (`api_url`) of the SendGrid block."),
        (405, PermanentFailure, "Change what the reason names."),
        (408, TransientFailure, "did not arrive there in time; try again later"),
        (413, PermanentFailure, "SendGrid takes 30 MB"),
        (451, PermanentFailure, "(`api_url`) of the SendGrid block to https://api.eu.sendgrid.com"),
        (415, PermanentFailure, "Change what the reason names."),
        (429, TransientFailure, "Too many requests: wait a while before the next"),
        (499, PermanentFailure, "Change what the reason names."),
        (500, TransientFailure, "try again later"),
        (502, TransientFailure, "try again later"),
        (503, TransientFailure, "try again later"),
    ],
)
def test_each_status(
    api: ApiServer, deliver: Deliver, status: int, kind: type[DeliveryError], advice: str
) -> None:
    """Each status is one error, with the code, SendGrid's reason, and what to change."""
    api.answers = [reply(status, _errors({"message": "No.", "field": "from", "help": None}))]
    with pytest.raises(kind) as caught:
        deliver()
    error = caught.value
    assert type(error) is kind
    assert (error.code, error.stage, error.enhanced_code) == (status, "POST /v3/mail/send", "")
    assert error.detail.startswith(f"{status}")
    assert ": from: No. " in error.detail
    assert advice in error.detail
    assert error.detail.endswith((".", ")"))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own pickle


def test_413_says_how_large(api: ApiServer, deliver: Deliver) -> None:
    """The error names the size of the request that was too large."""
    api.answers = [reply(413)]
    with pytest.raises(PermanentFailure) as caught:
        deliver()
    assert f"has {len(api.requests[0].body)} bytes" in caught.value.detail


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            _errors(
                {"message": "Bad one.", "field": "personalizations.0.to", "help": "http://h"},
                {"message": "Bad two", "field": None},
            ),
            "personalizations.0.to: Bad one. (http://h); Bad two",
        ),
        (_errors({"field": "x"}, "text", None, 3, {"message": 5}), None),
        ('{"errors": [{"message": "cut o', '{"errors": [{"message": "cut o'),
        (
            '{"errors": [{"field": "from", "message": "Bad."}, {"message": "cut o',
            "from: Bad.",
        ),
        ('{"a": {} {"message": ', '{"a": {} {"message":'),
        ('{"errors": {}}', '{"errors": {}}'),
        ("[" * 60_000, "[" * 300),
        (
            "<html><style>p{}</style><h1>502</h1>\r\n<p>Bad\x1b[31m gateway</p></html>",
            r"502 Bad\x1b[31m gateway",
        ),
        (b"\xff\xfe\x00", "\ufffd\ufffd\\x00"),
        ("<" * 60_000, "<" * 300),
        ("", ""),
    ],
)
def test_the_reason(body: str | bytes, reason: str | None) -> None:
    """SendGrid's errors are told as they are; any other body is one short plain line."""
    data = body.encode() if isinstance(body, str) else body
    expected = data.decode() if reason is None else reason
    assert Answer(400, {}, data).explain() == expected


def test_a_packed_body_gives_no_reason() -> None:
    """A server that packs its answer although nobody asked for that is not shown as noise."""
    body = gzip.compress(_errors({"message": "No"}).encode())
    assert Answer(400, {"content-encoding": "gzip"}, body).explain() == ""
    plain = Answer(400, {"content-encoding": "Identity"}, b"No")
    assert plain.explain() == "No"


def test_a_reason_has_a_bound() -> None:
    """Thousands of errors make no endless text."""
    answer = Answer(400, {}, _errors(*[{"message": "No"}] * 3000).encode())
    assert len(answer.explain()) == 2000


@pytest.mark.parametrize(
    "body",
    [
        '{"errors": [{"message": "KEY is bad", "field": "KEY", "help": "KEY"}]}',
        "<p>Bearer KEY</p>",
        "x" * 290 + "KEY",
        "x" * 4090 + "KEY",
        '{"errors": [{"message": "CUT',
        '{"errors": [{"message": "ESCAPED", "help": "https://example.org/?key=URL"}]}',
        "<p>ESCAPED URL",
    ],
)
def test_an_echoed_key_is_hidden(api: ApiServer, deliver: Deliver, canary: str, body: str) -> None:
    """Wherever an answer repeats the key, whole, cut or escaped, no part of it is shown."""
    spellings = {
        "KEY": canary,
        "CUT": canary[4:-4],
        "ESCAPED": "".join(f"\\u{ord(character):04x}" for character in canary),
        "URL": "".join(f"%{ord(character):02X}" for character in canary),
    }
    for name, spelling in spellings.items():
        body = body.replace(name, spelling)
    api.answers = [reply(400, body)]
    with pytest.raises(PermanentFailure) as caught:
        deliver()
    shown = repr(caught.value)
    pieces = {canary[start : start + 6] for start in range(len(canary) - 5)}
    assert not [piece for piece in pieces if piece in shown]
    assert spellings["ESCAPED"][:36] not in shown
    assert spellings["URL"][:18] not in shown


def test_an_echoed_key_is_not_a_provider_id(api: ApiServer, deliver: Deliver, canary: str) -> None:
    """The key is hidden in the receipt too."""
    api.answers = [accept(f"id {canary}")]
    assert deliver().provider_id == "id ***"


@pytest.mark.parametrize(
    ("api_key", "is_hinted"), [("SG.id.secret", False), ("id.secret", True), ('"SG.x"', True)]
)
def test_a_key_of_another_shape(
    api: ApiServer, deliver: Deliver, api_key: str, is_hinted: bool
) -> None:
    """The key's shape is a hint where SendGrid does not know the key, and nothing else."""
    api.answers = [accept(), reply(401)]
    deliver(api_key=SecretStr(api_key))
    with pytest.raises(AuthenticationFailed) as caught:
        deliver(api_key=SecretStr(api_key))
    hint = "The key does not begin with SG. as SendGrid's keys do: copy the whole key"
    assert (hint in str(caught.value)) is is_hinted


def test_an_answer_of_eight_megabytes(api: ApiServer, deliver: Deliver) -> None:
    """An endless list of errors is one short text, and the next mail goes."""
    api.answers = [reply(400, _errors(*[{"message": "No", "field": "x"}] * 250_000)), accept("2")]
    with pytest.raises(PermanentFailure, match="400 Bad Request: x: No; x: No") as caught:
        deliver()
    assert len(str(caught.value)) < 2200
    assert deliver().provider_id == "2"


def test_an_unknown_status_has_no_phrase() -> None:
    """A code without a standard phrase is alone."""
    assert Answer(599, {}, b"").status_line == "599"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("authorization: The provided grant is invalid", None),
        ("Invalid token: expired", None),
        ("api_key: is missing", None),
        ("see https://ann:p/a@ss@example.org/x", "see https://ann:********@example.org/x"),
        ("see https://example.org/x?token=abc&a=b", "see https://example.org/x?token=********&a=b"),
        ("X-Api-Key: dXNlcg12", "X-Api-Key: ********"),
        ("Authorization: Bearer dXNlcg12", "Authorization: Bearer ********"),
        ("sent eyJhbGciOi.eyJzdWIi.c2ln", "sent ********"),
        ("Server=db;Password=p;x;", "Server=db;Password=********;x;"),
        ('{"otp": "one two"}', '{"otp": "********"}'),
    ],
    ids=range(10),
)
def test_what_looks_like_a_secret_is_masked(said: str, shown: str | None) -> None:
    """An answer may repeat what is not ours to know; what it says of a token stays."""
    assert Answer(400, {}, _errors({"message": said}).encode()).explain() == (shown or said)
