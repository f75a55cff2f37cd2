"""Flows that send mail with canaries for credentials; a process of its own runs them.

Reads a `Canaries` as JSON from stdin. Every logger writes at DEBUG to ``client.log``.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from prefect import flow
from prefect.logging.configuration import setup_logging
from pydantic import SecretStr

from prefect_smtp_relay import SMTP, Receipt, SendGrid, send_an_email
from prefect_smtp_relay.exceptions import AuthenticationFailed, EmailError, RecipientsRefused

send = send_an_email.with_options(persist_result=True, retries=0)


@flow(name="canary-flow-name", persist_result=True)
def incident(to: str, relay: str | None = None) -> Receipt:
    """Send through the preferred relay, or a named one."""
    return send(to, "[SEV1] Disk full", "The disk is full.", relay=relay)


@flow(name="canary-flow-name", persist_result=True)
def incident_by_block(to: str) -> list[Receipt]:
    """Hand the block itself to the task, called and submitted."""
    block = SMTP.load("used")
    assert isinstance(block, SMTP)
    called = send(to, "[SEV2] Called", "Body", relay=block)
    return [called, send.submit(to, "[SEV2] Submitted", "Body", relay=block).result()]


def connect(canaries: dict[str, str]) -> None:
    """Save the blocks; the one with the canary for an address is never used."""
    username, password = SecretStr(canaries["username"]), SecretStr(canaries["password"])
    smtp = {"port": canaries["smtp_port"], "from_address": "ops@example.org"}
    used = SMTP(address="127.0.0.1", username=username, password=password, **smtp, priority=9)
    used.save("used")
    SMTP(address=canaries["address"], username=username, password=password).save("elsewhere")
    SMTP(
        address="mx.example.org",
        username=username,
        authentication="xoauth2",
        oauth_token_url="https://id.example.org/token",
        oauth_client_id="app",
        oauth_client_secret=SecretStr(canaries["oauth_client_secret"]),
        oauth_refresh_token=SecretStr(canaries["oauth_refresh_token"]),
    ).save("tokens")
    wrong = SecretStr(canaries["wrong_password"])
    SMTP(address="127.0.0.1", username=username, password=wrong, **smtp).save("wrong")
    file = canaries["mounted_file"]
    SMTP(address="127.0.0.1", username="mounted", password_file=file, **smtp).save("mounted")
    wrong_file = SMTP(address="127.0.0.1", username=username, password_file=file, **smtp)
    wrong_file.save("mounted-wrong")
    SendGrid(
        api_key=SecretStr(canaries["api_key"]),
        api_url=canaries["api_url"],
        from_address="ops@example.org",
    ).save("used")


def expect(kind: type[EmailError], to: str, relay: str) -> None:
    """Run the flow, which has to fail."""
    try:
        incident(to, relay)
    except kind as error:
        show(error)
    else:
        raise AssertionError(f"{relay} took the mail")


def show(value: object) -> None:
    """Print what a careless flow would print."""
    print(f"{value!r} {value}")  # noqa: T201  # the output is searched, too


def main() -> None:
    """Send what is accepted, stored and refused."""
    canaries: dict[str, str] = json.load(sys.stdin)
    setup_logging()
    logging.getLogger().addHandler(logging.FileHandler(Path(canaries["log"])))
    logging.getLogger().setLevel(logging.DEBUG)
    connect(canaries)
    to = canaries["recipient"]
    show(incident(to))
    show(incident(f"{to}, refused@example.org"))
    show(incident(to, "outbox"))
    show(incident(to, "smtp/mounted"))
    show(incident_by_block(to))
    expect(RecipientsRefused, "refused@example.org", "smtp/used")
    expect(AuthenticationFailed, to, "smtp/wrong")
    expect(AuthenticationFailed, to, "smtp/mounted-wrong")
    expect(AuthenticationFailed, to, "sendgrid/used")


if __name__ == "__main__":
    main()
