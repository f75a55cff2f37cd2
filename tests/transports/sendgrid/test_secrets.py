from __future__ import annotations

import logging
import subprocess
import sys
import traceback
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import EmailError, OutcomeUnknown
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.http.values import HttpRequest
from prefect_smtp_relay.transports.sendgrid import SendGridConfig, SendGridTransport

from .api_server import Answer, ApiServer, accept, raw, reply


def test_the_key_is_in_no_repr(canary: str) -> None:
    """Configuration, transport and request can be printed."""
    config = SendGridConfig(SecretStr(canary))
    request = HttpRequest("https://h", {"Authorization": canary}, canary.encode())
    transport = SendGridTransport(config)
    printed = f"{config!r} {config} {transport!r} {transport.name} {request!r}"
    assert canary not in printed


@pytest.mark.parametrize("answer", [accept(), reply(401, "bad KEY"), reply(500), raw(b"nonsense")])
def test_the_key_is_in_no_log_and_no_traceback(
    api: ApiServer,
    deliver: Callable[..., Receipt],
    caplog: pytest.LogCaptureFixture,
    canary: str,
    answer: Answer,
) -> None:
    """Every logger at DEBUG, and a whole traceback with its causes, do without the key."""
    caplog.set_level(logging.DEBUG)
    api.answers = [answer]
    shown = ""
    try:
        shown = repr(deliver())
    except EmailError:
        shown = traceback.format_exc()
    assert canary in api.requests[0].headers["authorization"]
    assert canary not in shown + caplog.text
    assert caplog.records


@pytest.mark.parametrize(
    "echo", ["HTTP/1.1 400 Bad\r\nAuthorization Bearer KEY\r\n\r\n", "Bearer KEY\r\n\r\n"]
)
def test_a_key_echoed_outside_http_is_in_no_traceback(
    api: ApiServer, deliver: Callable[..., Receipt], canary: str, echo: str
) -> None:
    """The HTTP library repeats a line that it cannot read: then its error is not our cause."""
    api.answers = [raw(echo.replace("KEY", canary).encode())]
    with pytest.raises(OutcomeUnknown) as caught:
        deliver()
    assert canary not in "".join(traceback.format_exception(caught.value))


def test_an_error_keeps_its_cause(api: ApiServer, deliver: Callable[..., Receipt]) -> None:
    """What the HTTP library says of an answer that it cannot read is in the traceback."""
    api.answers = [raw(b"nonsense\r\n\r\n")]
    with pytest.raises(OutcomeUnknown) as caught:
        deliver()
    assert "nonsense" in str(caught.value.__cause__)


def test_importing_the_transport_loads_no_library() -> None:
    """Neither sendgrid nor httpx is imported before the first mail."""
    code = (
        "import sys, prefect_smtp_relay.transports.sendgrid;"
        "print({'sendgrid', 'httpx', 'prefect'} & set(sys.modules))"
    )
    run = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"
