"""What the examples of the pages need: their servers, a connected relay, a folder to work in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.prefect_api import *  # noqa: F403  # the fixtures
from tests.rooms import ROOT
from tests.transports.sendgrid.api_server import ApiServer, serve
from tests.transports.smtp.sasl_server import SaslServer, grant

USERS = {"incidents@example.org": "an app password"}
CHECKOUT = ("blocks", "flows")
"""What examples use that begin with "in a checkout"."""

Substitute = Callable[[str], str]


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """Run an HTTP server that accepts mail as SendGrid does."""
    with serve() as server:
        yield server


@pytest.fixture
def token_endpoint() -> Iterator[ApiServer]:
    """Run an HTTP server that grants an access token to each application."""
    with serve() as server:
        server.answers = [grant("an-access-token"), grant("an-access-token")]
        yield server


@pytest.fixture
def servers(certificates: Certificates) -> Iterator[dict[int, MailServer]]:
    """Run what smtp.example.org means: a submission server and an SMTPS server."""
    context = certificates.server_context
    with ExitStack() as stack:
        yield {
            587: stack.enter_context(
                SaslServer("starttls", context, USERS, tokens={"an-access-token"})
            ),
            465: stack.enter_context(MailServer(security="tls", tls_context=context, users=USERS)),
        }


@pytest.fixture
def substitute(
    servers: dict[int, MailServer],
    certificates: Certificates,
    api: ApiServer,
    token_endpoint: ApiServer,
) -> Substitute:
    """Put the local servers, and the CA that nobody else trusts, in place of the examples'."""
    host, port = servers[587].host, servers[587].port
    table = {
        'address="smtp.example.org",\n    user': f'address="{host}",\n    port={port},\n    user',
        'ssl_verify_mode="peer",\n)': 'ssl_verify_mode="peer",\n'
        f"    ca_certificate={certificates.ca_pem!r},\n)",
        'address="smtp.example.org"': f'address="{host}"',
        "port=587": f"port={port}",
        "port=465": f"port={servers[465].port}",
        'ssl_verify_mode="peer",\n    from_address': 'ssl_verify_mode="peer",\n'
        f"    ca_certificate={certificates.ca_pem!r},\n    from_address",
        'address="smtp.gmail.com"': f'address="{host}"',
        'address="smtp.office365.com"': f'address="{host}"',
        "https://oauth2.googleapis.com/": f"{token_endpoint.url}/",
        "https://login.microsoftonline.com/": f"{token_endpoint.url}/",
        'api_url="https://api.eu.sendgrid.com"': f'api_url="{api.url}"',
    }

    def replaced(code: str) -> str:
        for example, local in table.items():
            code = code.replace(example, local)
        return code

    return replaced


@pytest.fixture
def answers(servers: dict[int, MailServer], certificates: Certificates) -> dict[str, str]:
    """What a person would type where a command asks, as variables."""
    [(username, password)] = USERS.items()
    return {
        "SMTP_ADDRESS": servers[587].host,
        "SMTP_PORT": str(servers[587].port),
        "SMTP_USERNAME": username,
        "SMTP_PASSWORD": password,
        "SMTP_SSL_VERIFY_MODE": "peer",
        "SMTP_CA_CERTIFICATE": certificates.ca_pem,
        "SENDGRID_API_KEY": "SG.your-key",
        "SENDGRID_FROM_ADDRESS": username,
    }


@pytest.fixture
def connected(servers: dict[int, MailServer], certificates: Certificates) -> None:
    """Connect the relay that every page but those on connecting takes for granted."""
    [(username, password)] = USERS.items()
    SMTP(
        address=servers[587].host,
        port=servers[587].port,
        username=username,
        password=password,
        ssl=False,
        enable_starttls=True,
        ssl_verify_mode="peer",
        ca_certificate=certificates.ca_pem,
    ).save("main")


@pytest.fixture
def working_directory(
    tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Work where the files are that the examples name."""
    path = tmp_path / "work"
    path.mkdir()
    path.joinpath("ca.pem").write_text(certificates.ca_pem, encoding="ascii")
    for folder in CHECKOUT:
        path.joinpath(folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(path)
    return path
