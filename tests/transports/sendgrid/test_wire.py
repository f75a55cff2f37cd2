from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    EmailError,
    OutcomeUnknown,
    PermanentFailure,
    RelayConfigurationError,
    TimedOut,
)
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.http.exchange import MAX_BODY

from .api_server import (
    Answer,
    ApiServer,
    drip,
    hold,
    never_read,
    raw,
    reply,
    reset,
    serve,
    stall,
)

Deliver = Callable[..., Receipt]
MakeMessage = Callable[..., Message]
BEGUN = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: X-1\r\nContent-Length: 900000\r\n\r\n"


def test_the_key_goes_to_no_other_server(api: ApiServer, deliver: Deliver) -> None:
    """A redirect is an error, and the server it leads to hears nothing."""
    with serve() as other:
        api.answers = [reply(307, location=f"{other.url}/v3/mail/send")]
        with pytest.raises(PermanentFailure, match="redirects are not followed"):
            deliver()
    assert other.requests == []


def test_the_key_is_what_authorizes(
    api: ApiServer,
    deliver: Deliver,
    canary: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A login that a .netrc has for the host does not take the place of the key."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password secret")
    monkeypatch.setenv("NETRC", str(netrc))
    deliver()
    assert api.requests[0].headers["authorization"] == f"Bearer {canary}"


def test_nobody_listens(deliver: Deliver) -> None:
    """A refused connection is `ConnectionFailed`, with its cause."""
    with serve() as gone:
        url = gone.url
    with pytest.raises(ConnectionFailed, match=r"no connection to SendGrid\. Check") as caught:
        deliver(api_url=url)
    assert caught.value.stage == "connect"
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    "answer",
    [
        raw(b""),
        raw(b"HTTP/1.1 20"),
        raw(b"220 this is SMTP\r\n"),
        drip(b"HTTP/1.1 202 Accepted\r\nX-Slow: "),
        stall,
    ],
)
def test_no_answer_after_the_mail_went_out(
    api: ApiServer, deliver: Deliver, answer: Answer
) -> None:
    """Lost, garbled, silent or endless: the mail may have been accepted."""
    api.answers = [answer]
    with pytest.raises(OutcomeUnknown, match="may have been accepted") as caught:
        deliver(timeout_seconds=0.3)
    assert caught.value.stage == "POST /v3/mail/send"
    assert caught.value.transient
    assert len(api.requests) == 1


@pytest.mark.parametrize("answer", [raw(BEGUN), drip(BEGUN), raw(BEGUN + b"x" * 900_000)])
def test_a_body_that_does_not_end_changes_no_outcome(
    api: ApiServer, deliver: Deliver, answer: Answer
) -> None:
    """Once 202 is there, a body cut off, dripping or too long is not waited for."""
    api.answers = [answer]
    receipt = deliver(timeout_seconds=0.3)
    assert (receipt.outcome, receipt.provider_id) == ("accepted", "X-1")
    assert deliver().provider_id == "X-1"


def test_a_refusal_is_told_from_what_came_of_it(api: ApiServer, deliver: Deliver) -> None:
    """A 400 whose body drips is permanent, with an excerpt."""
    start = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 900000\r\n\r\nwrong"
    api.answers = [drip(start)]
    with pytest.raises(PermanentFailure, match="400 Bad Request: wrongx"):
        deliver(timeout_seconds=0.3)


def test_a_long_body_is_read_to_a_limit(api: ApiServer, deliver: Deliver) -> None:
    """What comes after the limit is never read."""
    api.answers = [reply(400, b" " * MAX_BODY + b"behind")]
    with pytest.raises(PermanentFailure) as caught:
        deliver()
    assert "behind" not in caught.value.detail


@pytest.mark.parametrize(("take", "kind"), [(reset, ConnectionFailed), (hold, TimedOut)])
def test_a_mail_that_could_not_be_handed_over(
    deliver: Deliver, make_message: MakeMessage, take: Any, kind: type[EmailError]
) -> None:
    """A connection lost or stuck while the mail is written leaves no doubt: nothing was taken."""
    message = make_message(attachments=[("big.bin", bytes(20_000_000))])
    with never_read(take) as url, pytest.raises(kind) as caught:
        deliver(message, api_url=url, timeout_seconds=0.5)
    assert type(caught.value) is kind


def test_a_host_that_is_not_a_name(deliver: Deliver) -> None:
    """A label too long for DNS is a configuration error."""
    with pytest.raises(RelayConfigurationError, match=r"Check .*`api_url`"):
        deliver(api_url=f"http://{'x' * 70}.example")
