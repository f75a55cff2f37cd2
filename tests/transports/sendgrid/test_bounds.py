"""No server, and no name server, holds a delivery for long."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from prefect_smtp_relay.exceptions import TimedOut, UnknownHost
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.http.exchange import _deadline, exchange
from prefect_smtp_relay.transports.http.values import HttpRequest, NoAnswer

from .api_server import ApiServer, greet_slowly, hold, never_read, read_slowly

Deliver = Callable[..., Receipt]


def test_a_resolver_that_does_not_answer(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking up the name ends with the time limit too, which the system's resolver ignores."""
    answering = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answering.wait(30))
    with pytest.raises(TimedOut, match=r"no connection to SendGrid in time\. Raise") as caught:
        deliver(api_url="https://api.sendgrid.invalid", timeout_seconds=0.2)
    answering.set()
    assert caught.value.stage == "connect"


def test_a_name_that_does_not_exist(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that knows no such name is `UnknownHost`, which is tried again less often."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(UnknownHost, match=r"no host of the name in \*API URL") as caught:
        deliver(api_url="https://api.sendgrid.invalid")
    assert caught.value.stage == "connect"


def test_a_dead_address_does_not_use_up_the_time_of_the_next(
    api: ApiServer, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host of two addresses is reached by the second where nobody listens at the first."""
    port = int(api.url.rpartition(":")[2])
    ask = socket.getaddrinfo

    def answer(host: str, *arguments: object, **options: object) -> object:
        if host != "api.test":
            return ask(host, *arguments, **options)  # type: ignore[arg-type]  # handed on
        places = [(address, port) for address in ("127.255.255.254", "127.0.0.1")]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert deliver(api_url=f"http://api.test:{port}").outcome == "accepted"


@pytest.mark.parametrize("take", [hold, greet_slowly])
def test_tls_that_does_not_come_about(
    deliver: Deliver, take: Callable[[socket.socket, threading.Event], None]
) -> None:
    """A silent handshake ends with the time limit, and so does one of a few bytes a second."""
    with never_read(take) as url, pytest.raises(TimedOut) as caught:
        deliver(api_url=url.replace("http", "https"), timeout_seconds=0.3)
    assert caught.value.stage == "connect"


def test_a_mail_that_is_read_slowly() -> None:
    """However often a server reads a little, the request as a whole has its time."""
    with never_read(read_slowly) as url, pytest.raises(NoAnswer) as caught:
        exchange(HttpRequest(url, {}, bytes(20_000_000)), 30.0, Deadline(0.5))
    assert (caught.value.kind, caught.value.stage) == ("late", "request")


def test_a_large_mail_has_more_time() -> None:
    """A slow line is given a second for each 64 KiB, as long as something moves."""
    request = HttpRequest("", {}, bytes(100 * 65_536))
    assert 129 < _deadline(request, 30.0).left() <= 130
