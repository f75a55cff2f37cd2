"""The command line and the secrets of OAuth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.transports.sendgrid.api_server import serve
from tests.transports.smtp.sasl_server import SaslServer, grant

RunCli = Callable[..., Any]

OPTIONS = (
    *("--username", "ann@example.org", "--authentication", "xoauth2"),
    *("--oauth-client-id", "app", "--no-ssl", "--no-enable-starttls-auto"),
)


@pytest.mark.parametrize("option", ["--oauth-client-secret", "--oauth-refresh-token"])
def test_a_secret_of_oauth_is_no_option(run_cli: RunCli, option: str) -> None:
    """It is refused without being repeated."""
    run = run_cli("check", "--address", "127.0.0.1", f"{option}=canary-secret")
    assert run.code == 2
    assert "is not an option" in run.err
    assert "canary" not in run.out + run.err


def test_missing_secrets_are_named_by_their_variables(run_cli: RunCli) -> None:
    """Without a terminal nobody can be asked; no password is wanted in their place."""
    url = ("--oauth-token-url", "https://id.example.org/token")
    run = run_cli("check", "--address", "127.0.0.1", *OPTIONS, *url)
    assert run.code == 2
    assert "SMTP_OAUTH_CLIENT_SECRET or SMTP_OAUTH_REFRESH_TOKEN" in run.err


def test_a_check_with_secrets_from_the_environment(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token endpoint is a step of its own, and no secret is shown."""
    monkeypatch.setenv("SMTP_OAUTH_CLIENT_SECRET", "canary-secret")
    with serve() as endpoint, SaslServer(users={"somebody": "else"}, tokens={"canary-t"}) as server:
        endpoint.answers = [grant("canary-t")]
        place = ("--address", "127.0.0.1", "--port", str(server.port))
        url = ("--oauth-token-url", f"{endpoint.url}/token")
        run = run_cli("check", "--from-env", *place, *OPTIONS, *url)
    assert "granted by 127.0.0.1:" in run.out
    assert "accepted, with XOAUTH2" in run.out
    assert run.code == 0
    assert "canary" not in run.out + run.err
