from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx
import pytest

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    EmailError,
    OutcomeUnknown,
    PermanentFailure,
    RelayConfigurationError,
    TimedOut,
    TlsFailed,
)
from prefect_smtp_relay.transports.sendgrid.errors import (
    BEFORE_HAND_OVER,
    FOREIGN,
    MISCONFIGURED,
    translate,
)

NAME = "sendgrid://api.sendgrid.com"


def _all_below(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _all_below(below)


def _httpx_exceptions() -> list[type[Exception]]:
    roots = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)
    public = {v for v in vars(httpx).values() if isinstance(v, type) and issubclass(v, Exception)}
    found = public.union(*(_all_below(root) for root in roots))
    return sorted((kind for kind in found if kind.__module__ == "httpx"), key=lambda k: k.__name__)


def _make(kind: type[Exception]) -> Exception:
    return kind.__new__(kind)


@pytest.mark.parametrize("kind", _httpx_exceptions())
def test_every_exception_of_httpx_is_mapped(kind: type[Exception]) -> None:
    """Each class stands in a table by itself, and gives one of our errors."""
    assert kind in {*BEFORE_HAND_OVER, *MISCONFIGURED}
    assert isinstance(_make(kind), FOREIGN)
    for handed_over in (False, True):
        assert isinstance(translate(_make(kind), NAME, handed_over=handed_over), EmailError)


@pytest.mark.parametrize("kind", _httpx_exceptions())
def test_after_the_hand_over_nothing_is_certain(kind: type[Exception]) -> None:
    """Whatever goes wrong behind the last octet, the outcome is unknown."""
    assert type(translate(_make(kind), NAME, handed_over=True)) is OutcomeUnknown


@pytest.mark.parametrize(
    ("kind", "ours"),
    [
        (httpx.ConnectError, ConnectionFailed),
        (httpx.ConnectTimeout, TimedOut),
        (httpx.PoolTimeout, TimedOut),
        (httpx.WriteTimeout, TimedOut),
        (httpx.ReadTimeout, TimedOut),
        (httpx.WriteError, ConnectionFailed),
        (httpx.ReadError, ConnectionFailed),
        (httpx.RemoteProtocolError, ConnectionFailed),
        (httpx.ProxyError, ConnectionFailed),
        (httpx.LocalProtocolError, PermanentFailure),
        (httpx.TooManyRedirects, PermanentFailure),
        (httpx.UnsupportedProtocol, RelayConfigurationError),
        (httpx.InvalidURL, RelayConfigurationError),
        (UnicodeError, RelayConfigurationError),
    ],
)
def test_before_the_hand_over(kind: type[Exception], ours: type[EmailError]) -> None:
    """Nothing was taken; what it is tells whether to try again."""
    error = translate(_make(kind), NAME, handed_over=False)
    assert type(error) is ours
    assert NAME in str(error)
    assert str(error).endswith(".")


def test_a_new_exception_of_httpx_counts_as_its_parent() -> None:
    """A class that a later version adds is read as the class above it."""

    class Novel(httpx.NetworkError):
        """Of a later version."""

    assert type(translate(Novel("x"), NAME, handed_over=False)) is ConnectionFailed


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        (ssl.SSLEOFError(8, "EOF occurred"), ConnectionFailed),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), TlsFailed),
        (ConnectionRefusedError(111, "refused"), ConnectionFailed),
    ],
)
def test_the_reason_behind_a_connect_error(reason: Exception, ours: type[EmailError]) -> None:
    """TLS that fails is permanent; a connection lost in the handshake is not."""
    error = httpx.ConnectError("x")
    error.__cause__ = RuntimeError("from httpcore")
    error.__cause__.__context__ = reason
    reason.__context__ = ssl.SSLError(1, "what the caller was handling")
    assert type(translate(error, NAME, handed_over=False)) is ours
