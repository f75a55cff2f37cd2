from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from prefect_smtp_relay.exceptions import RelayConfigurationError, TlsFailed
from prefect_smtp_relay.mail.receipt import Receipt

from .api_server import ApiServer, drip, serve

Deliver = Callable[..., Receipt]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that nobody knows."""
    return trustme.CA()


@pytest.fixture
def secure_api(authority: trustme.CA) -> Iterator[ApiServer]:
    """A local SendGrid with TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serve(context) as server:
        yield server


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Trust the certificates of a file, as SSL_CERT_FILE does for a process."""

    def set_file(path: Path) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))

    return set_file


def test_a_certificate_that_nobody_vouches_for(secure_api: ApiServer, deliver: Deliver) -> None:
    """The certificate is always verified; the key is not shown to a stranger."""
    with pytest.raises(TlsFailed, match=r"not trusted: .*SSL_CERT_FILE") as caught:
        deliver(api_url=secure_api.url)
    assert caught.value.stage == "connect"
    assert secure_api.requests == []


def test_a_trusted_certificate(
    secure_api: ApiServer,
    deliver: Deliver,
    authority: trustme.CA,
    trust: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    """Mail goes over TLS, with a CA of one's own, on one kept connection."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trust(tmp_path / "ca.pem")
    assert deliver(api_url=secure_api.url).outcome == "accepted"
    assert deliver(api_url=secure_api.url).outcome == "accepted"
    assert len({request.port for request in secure_api.requests}) == 1


def test_a_dripping_answer_over_tls_ends(
    secure_api: ApiServer,
    deliver: Deliver,
    authority: trustme.CA,
    trust: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    """The bound of the whole answer holds for an encrypted connection too."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trust(tmp_path / "ca.pem")
    secure_api.answers = [drip(b"HTTP/1.1 202 Accepted\r\nContent-Length: 900000\r\n\r\n")]
    assert deliver(api_url=secure_api.url, timeout_seconds=0.5).outcome == "accepted"


def test_a_certificate_for_another_name(
    secure_api: ApiServer,
    deliver: Deliver,
    authority: trustme.CA,
    trust: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    """The host name is verified too."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trust(tmp_path / "ca.pem")
    with pytest.raises(TlsFailed, match="not valid for 'localhost'"):
        deliver(api_url=secure_api.url.replace("127.0.0.1", "localhost"))


def test_a_port_without_tls(api: ApiServer, deliver: Deliver) -> None:
    """A server that answers in plain text is a wrong api_url, not a passing trouble."""
    with pytest.raises(TlsFailed, match=r"`api_url`.* names a port that speaks TLS\.$"):
        deliver(api_url=api.url.replace("http", "https"))


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read(
    deliver: Deliver, trust: Callable[[Path], None], tmp_path: Path, content: str | None
) -> None:
    """A wrong SSL_CERT_FILE is a configuration error that names it."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    trust(path)
    with pytest.raises(RelayConfigurationError, match="SSL_CERT_FILE"):
        deliver(api_url="https://127.0.0.1:1")
