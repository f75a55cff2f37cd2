from __future__ import annotations

import importlib.util
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from prefect_smtp_relay.exceptions import ConnectionFailed, RelayConfigurationError, TimedOut
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.http.connections import proxy_for

from .api_server import ApiServer, drip, reply, serve
from .proxy_server import Proxy, lead_to

Deliver = Callable[..., Receipt]
HOST = "api.sendgrid.invalid"
URL = f"https://{HOST}"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Vouches for the server and for the proxy."""
    return trustme.CA()


@pytest.fixture
def secure_api(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[ApiServer]:
    """A SendGrid of a name that only the proxy knows, whose certificate is trusted."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with serve(_tls(authority, HOST, "127.0.0.1")) as server:
        yield server


@pytest.fixture
def proxy(secure_api: ApiServer) -> Iterator[Proxy]:
    """A proxy that leads to that SendGrid."""
    with lead_to(_port(secure_api)) as server:
        yield server


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY", "https_proxy"])
def test_mail_goes_through_a_proxy(
    secure_api: ApiServer,
    proxy: Proxy,
    deliver: Deliver,
    canary: str,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """One kept tunnel carries the mails, and the proxy reads neither the key nor a mail in it."""
    monkeypatch.setenv(name, f"http://user:secret@127.0.0.1:{proxy.port}")
    assert [deliver(api_url=URL).outcome for _ in range(2)] == ["accepted"] * 2
    assert len(proxy.heads) == 1
    assert proxy.heads[0].startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=" in proxy.heads[0]
    assert canary not in proxy.heads[0]
    assert canary.encode() not in proxy.passed
    assert b"Disk full" not in proxy.passed
    headers = secure_api.requests[1].headers
    assert headers["authorization"] == f"Bearer {canary}"
    assert "proxy-authorization" not in headers


def test_a_proxy_named_without_a_scheme(
    secure_api: ApiServer, proxy: Proxy, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Host and port alone mean an HTTP proxy, as for other programs."""
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
    deliver(api_url=URL)
    assert len(proxy.heads) == len(secure_api.requests) == 1


def test_a_proxy_that_speaks_tls(
    secure_api: ApiServer,
    authority: trustme.CA,
    deliver: Deliver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The way to the proxy may be encrypted too, with a certificate that is verified."""
    with lead_to(_port(secure_api), _tls(authority, "127.0.0.1")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{proxy.port}")
        assert deliver(api_url=URL).outcome == "accepted"
    assert len(proxy.heads) == 1


@pytest.mark.parametrize("named", ["127.0.0.1", "*", "localhost,127.0.0.1:{port}"])
def test_a_host_that_needs_no_proxy(
    secure_api: ApiServer,
    proxy: Proxy,
    deliver: Deliver,
    monkeypatch: pytest.MonkeyPatch,
    named: str,
) -> None:
    """NO_PROXY names hosts that are reached directly."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", named.format(port=_port(secure_api)))
    deliver(api_url=secure_api.url)
    assert proxy.heads == []


@pytest.mark.parametrize("named", ["::1", "[::1]", "[::1]:8443"])
def test_an_ipv6_address_that_needs_no_proxy(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    """NO_PROXY may name it with brackets, as in a URL, or without."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", named)
    assert proxy_for(httpx.URL("https://[::1]:8443")) is None
    assert proxy_for(httpx.URL("https://[::2]:8443")) is not None


def test_a_server_without_tls_has_no_proxy(
    api: ApiServer, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain HTTP stays on this host: a proxy would read the key, and leads to another loopback."""
    with lead_to(_port(api)) as proxy:
        for name in ("HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        deliver()
    assert proxy.heads == []


@pytest.mark.skipif(importlib.util.find_spec("socksio") is not None, reason="SOCKS is installed")
def test_a_socks_proxy_needs_a_package(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(RelayConfigurationError, match=r"needs httpx\[socks\]"):
        deliver(api_url=URL)


def test_a_proxy_that_refuses(
    api: ApiServer, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy's refusal is `ConnectionFailed`, and the API key never reaches the proxy."""
    monkeypatch.setenv("HTTPS_PROXY", api.url.replace("//", "//user:proxy-canary@"))
    api.answers = [reply(407)]
    with pytest.raises(ConnectionFailed, match="Check HTTPS_PROXY") as caught:
        deliver(api_url=URL)
    assert "proxy-canary" not in repr(caught.value)
    assert api.requests[0].method == "CONNECT"
    assert "authorization" not in api.requests[0].headers


def test_a_proxy_that_stays_silent(
    api: ApiServer, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that answers CONNECT by dripping cannot have taken the mail."""
    monkeypatch.setenv("HTTPS_PROXY", api.url)
    api.answers = [drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")]
    with pytest.raises(TimedOut):
        deliver(api_url=URL, timeout_seconds=0.3)


@pytest.mark.parametrize("proxy", ["ftp://user:proxy-canary@h", "http://user:proxy-canary#@h:x"])
def test_a_proxy_that_cannot_be_read(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """A wrong HTTPS_PROXY is a configuration error, and its password is in no traceback."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(RelayConfigurationError, match="HTTPS_PROXY") as caught:
        deliver(api_url=URL)
    assert "proxy-canary" not in str(caught.value)
    assert caught.value.__suppress_context__


def _tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


def _port(server: ApiServer) -> int:
    return int(server.url.rpartition(":")[2])
