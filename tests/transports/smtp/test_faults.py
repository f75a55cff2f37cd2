"""What can go wrong with a server: each fault ends in time, in its class, with words that help."""

from __future__ import annotations

import logging
import pickle
import re
import socket
import sys
import time
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import ConnectionFailed, DeliveryError, EmailError, TimedOut
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.transports.base import logger
from prefect_smtp_relay.transports.smtp import Credentials, Limits

from .faults import encryption, grammar, login, message, opening, submission
from .faults.scenario import PASSWORD, SHORT, USERNAME, Scenario, SessionKind, expand, write_out
from .odd_certificates import ODD
from .scripted_server import ScriptedServer

CREDENTIALS = Credentials(SecretStr(USERNAME), SecretStr(PASSWORD))
MODULES = (opening, encryption, login, submission, message, grammar)
CASES = [
    pytest.param(scenario, kind, id=name)
    for module in MODULES
    for name, scenario, kind in expand(module.SCENARIOS)
]
BEFORE_MAIL = {"connect", "TLS", "greeting", "EHLO", "STARTTLS", "AUTH"}
IN_THE_MESSAGE = {"body", "final reply"}


@pytest.fixture(autouse=True)
def _dns_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names under .invalid do not exist (RFC 6761, section 6.4), also where nobody answers."""
    ask = socket.getaddrinfo

    def answer(host: str, *arguments: Any, **more: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ask(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """All that was logged by anybody, at DEBUG, with the arguments of the records."""
    monkeypatch.setattr(logger, "filters", [])
    caplog.set_level(logging.DEBUG)
    return lambda: " ".join(f"{r.getMessage()} {r.args!r}" for r in caplog.records)


@pytest.fixture
def serve(certificates: Certificates) -> Callable[..., tuple[ScriptedServer, dict[str, Any]]]:
    """Make the server of a row, not yet started, and the settings that point a transport at it."""

    def make(scenario: Scenario, kind: SessionKind) -> tuple[ScriptedServer, dict[str, Any]]:
        trusted, context = certificates.ca_pem, certificates.server_context
        if scenario.certificate in ODD:
            trusted, context = ODD[scenario.certificate]()
        scripts = [write_out(script, kind) for script in scenario.scripts]
        server = ScriptedServer(*scripts, tls_context=context, extensions=kind.extensions)
        if not scripts:
            server.stop()
        settings = {"address": server.host, "ca_certificate": trusted, "credentials": CREDENTIALS}
        return server, {
            **settings,
            **kind.settings,
            **scenario.settings,
            "timeout_seconds": scenario.timeout,
            "limits": Limits(final_reply_seconds=scenario.timeout),
        }

    return make


@pytest.mark.parametrize(("scenario", "kind"), CASES)
def test_faults(
    serve: Callable[..., tuple[ScriptedServer, dict[str, Any]]],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
    log: Callable[[], str],
    scenario: Scenario,
    kind: SessionKind,
) -> None:
    """Class, stage, words, advice, copies and time are those of the row, and no secret shows."""
    server, settings = serve(scenario, kind)
    parts = {"attachments": [("dump.bin", bytes(scenario.attached))]} if scenario.attached else {}
    attempt = partial(submit, server, make_message(scenario.to, **parts), **settings)
    began = time.monotonic()
    outcome = _play(server, attempt) if scenario.scripts else _outcome(attempt)
    took = time.monotonic() - began
    if isinstance(outcome, Receipt):
        _check_receipt(scenario, outcome)
    else:
        _check_error(scenario, outcome, f"smtp://{settings['address']}:{server.port}")
    _check_wire(scenario, server, outcome)
    assert not _secrets_in(f"{_told(outcome)} {log()}")
    assert took < scenario.within


@pytest.mark.skipif(sys.platform != "linux", reason="how a full backlog behaves is Linux's own")
def test_a_connection_that_is_never_made(submit: Callable[..., Receipt]) -> None:
    """A host that does not answer at all ends in time, and the firewall is suspected."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, ExitStack() as waiting:
        for _ in range(4):
            sock = waiting.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(deaf.getsockname())
        with pytest.raises(TimedOut, match="whether a firewall lets this host through") as caught:
            submit(SimpleNamespace(port=deaf.getsockname()[1]), timeout_seconds=SHORT)
    assert caught.value.stage == "connect"


def _play(server: ScriptedServer, attempt: Callable[[], Receipt]) -> Receipt | EmailError:
    with server:
        return _outcome(attempt)


def _outcome(attempt: Callable[[], Receipt]) -> Receipt | EmailError:
    try:
        return attempt()
    except EmailError as error:
        return error


def _check_receipt(scenario: Scenario, receipt: Receipt) -> None:
    assert scenario.error is None, f"accepted: {receipt}"
    assert receipt.outcome == "accepted"
    assert receipt.accepted == scenario.accepted
    assert {address: str(no) for address, no in receipt.refused.items()} == scenario.refused
    assert scenario.says in receipt.response
    assert receipt.response.isprintable()


def _check_error(scenario: Scenario, error: EmailError, name: str) -> None:
    text = str(error)
    assert type(error) is scenario.error, text
    assert error.transient is scenario.is_transient
    assert scenario.says in text
    assert text.endswith(scenario.ends or "."), text
    assert text.isprintable()
    if isinstance(error, DeliveryError):
        assert error.stage in scenario.stage.split("|"), text
        assert text.startswith(f"{name} ({error.stage}): ")
        assert error.__cause__ or not isinstance(error, (ConnectionFailed, TimedOut))
        spoken = re.match(r"(\d{3}) (?:(\d\.\d\.\d+) )?", scenario.says)
        if spoken:
            assert (error.code, error.enhanced_code) == (int(spoken[1]), spoken[2] or "")
    else:
        assert name in text


def _check_wire(scenario: Scenario, server: ScriptedServer, outcome: Receipt | EmailError) -> None:
    assert server.surprises == []
    assert server.connections == len(scenario.scripts)
    assert len(server.stored) == scenario.copies
    assert not _secrets_in(server.heard_in_clear.decode("latin-1"), PASSWORD)
    if isinstance(outcome, EmailError):
        stage = getattr(outcome, "stage", "")
        assert stage in IN_THE_MESSAGE or b"Subject:" not in server.heard
        assert stage not in BEFORE_MAIL or b"MAIL FROM" not in server.heard


def _secrets_in(text: str, *secrets: str) -> list[str]:
    """Which forms of the secrets stand in a text; by default, of both."""
    forms = [form for secret in secrets or (USERNAME, PASSWORD) for form in _forms(secret)]
    return [form for form in forms if form in text]


def _forms(secret: str) -> Iterator[str]:
    """The secret itself, and its base64 wherever in the encoded octets it stands."""
    yield secret
    for shift in range(3):
        encoded = b64encode(b"\0" * shift + secret.encode()).decode().rstrip("=")
        yield encoded[(0, 2, 3)[shift] : -1]


def _told(outcome: Receipt | EmailError) -> str:
    """Every way in which an outcome becomes text."""
    if isinstance(outcome, Receipt):
        return f"{outcome!r} {outcome} {outcome.model_dump_json()}"
    trace = "".join(traceback.format_exception(outcome))
    pickled = pickle.dumps(outcome).decode("latin-1")
    return f"{outcome!r} {outcome} {outcome.args} {vars(outcome)} {trace} {pickled}"
