"""What httpx raises, as one of a few kinds of failure."""

from __future__ import annotations

import socket
import ssl
import typing
from collections.abc import Iterator

import httpx
import pytest

from prefect_smtp_relay.transports.http.explaining import explain
from prefect_smtp_relay.transports.http.values import Kind, Stage


def _all_below(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _all_below(below)


def _httpx_exceptions() -> list[type[Exception]]:
    roots = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)
    public = {v for v in vars(httpx).values() if isinstance(v, type) and issubclass(v, Exception)}
    found = public.union(*(_all_below(root) for root in roots))
    return sorted((kind for kind in found if kind.__module__ == "httpx"), key=lambda k: k.__name__)


@pytest.mark.parametrize("kind", _httpx_exceptions(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("stage", typing.get_args(Stage))
def test_every_exception_of_httpx_is_explained(kind: type[Exception], stage: Stage) -> None:
    """Once the request went out, it was lost or late; before that, nothing was taken."""
    failure = explain(kind.__new__(kind), stage)
    assert (failure.stage == "answer") == (stage == "answer")
    assert failure.kind in (("late", "lost") if stage == "answer" else typing.get_args(Kind))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError, "lost"),
        (httpx.ConnectTimeout, "late"),
        (httpx.ReadTimeout, "late"),
        (httpx.WriteError, "lost"),
        (httpx.RemoteProtocolError, "lost"),
        (httpx.ProxyError, "proxy"),
        (httpx.LocalProtocolError, "misused"),
        (httpx.UnsupportedProtocol, "configuration"),
        (httpx.InvalidURL, "configuration"),
        (UnicodeError, "configuration"),
    ],
)
def test_what_it_was(error: type[Exception], kind: Kind) -> None:
    """The kind says whether to wait, to change a setting, or to try again."""
    assert explain(error.__new__(error), "connect").kind == kind


def test_a_new_exception_of_httpx_counts_as_its_parent() -> None:
    """A class that a later version adds is read as the class above it."""

    class Novel(httpx.NetworkError):
        """Of a later version."""

    assert explain(Novel("x"), "request").kind == "lost"


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (ssl.SSLEOFError(8, "EOF occurred"), "lost"),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "tls"),
        (ConnectionRefusedError(111, "refused"), "lost"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "unknown"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "lost"),
    ],
    ids=["lost", "wrong-version", "refused", "no-such-name", "no-dns"],
)
def test_the_reason_beneath_a_connect_error(reason: Exception, kind: Kind) -> None:
    """TLS that fails is permanent, a lost connection is not, and a name may be wrong."""
    error = httpx.ConnectError("x")
    error.__cause__ = RuntimeError("from httpcore")
    error.__cause__.__context__ = reason
    reason.__context__ = ssl.SSLError(1, "what the caller was handling")
    assert explain(error, "connect").kind == kind
