"""Nobody writes in the name of a protected domain."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_smtp_relay import SMTP, send_an_email
from prefect_smtp_relay.exceptions import ProtectedDomain
from prefect_smtp_relay.testing.mail_server import MailServer


@pytest.fixture(autouse=True)
def protected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protect two domains, one of them internationalised."""
    monkeypatch.setenv(
        "PREFECT_INTEGRATIONS_SMTP_RELAY_PROTECTED_DOMAINS", "corp.example, bücher.example"
    )


def block(server: MailServer, from_address: str = "ops@allowed.example") -> SMTP:
    """A block for the running server."""
    return SMTP(address=server.host, port=server.port, ssl=False, from_address=from_address)


@pytest.mark.parametrize(
    "arguments",
    [
        {"from_": "ceo@corp.example"},
        {"from_": "ceo@mail.eu.corp.example"},
        {"from_": "ceo@CORP.Example."},
        {"from_": "ceo@xn--bcher-kva.example"},
        {"from_": "ceo@BU\u0308CHER.example"},
        {"from_": "ceo@\uff43\uff4f\uff52\uff50.example"},
        {"from_": '"ceo@corp.example" <eve@allowed.example>'},
        {"from_": '"CEO \uff20corp.example" <eve@allowed.example>'},
        {"from_": '"=?utf-8?q?ceo=40corp.example?=" <eve@allowed.example>'},
        {"reply_to": "ceo@corp.example"},
        {"reply_to": ["ok@allowed.example", "ceo@sub.corp.example"]},
        {"reverse_path": "ceo@corp.example"},
        {"headers": {"Sender": "ceo@corp.example"}},
        {"headers": {"X-Sender": "ceo@corp.example"}},
        {"headers": {"sender": "CEO <ceo@Corp.Example>"}},
    ],
)
def test_a_protected_sender_is_refused(mail_server: MailServer, arguments: dict[str, Any]) -> None:
    """Whatever names a sender is refused in whatever spelling, before anything is submitted."""
    with pytest.raises(ProtectedDomain, match="protected_domains"):
        send_an_email.fn("ann@example.org", "s", "b", relay=block(mail_server), **arguments)
    assert mail_server.connections == 0


@pytest.mark.parametrize("sender", ["ceo@notcorp.example", "corp.example@allowed.example"])
def test_another_domain_is_not_refused(mail_server: MailServer, sender: str) -> None:
    """A domain that only looks alike in part is free."""
    send_an_email.fn("ann@example.org", "s", "b", from_=sender, relay=block(mail_server))
    assert mail_server.mails[0].reverse_path == sender


def test_a_block_s_own_sender_is_refused_too(mail_server: MailServer) -> None:
    """A From that comes from the block counts as the workflow's."""
    relay = block(mail_server, from_address="ops@corp.example")
    with pytest.raises(ProtectedDomain, match="From"):
        send_an_email.fn("ann@example.org", "s", "b", relay=relay)
    assert mail_server.connections == 0


def test_the_operator_s_default_is_exempt_for_default_delivery_only(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """default_from may lie in a protected domain where nothing is connected."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_DEFAULT_FROM", "prefect@corp.example")
    assert send_an_email.fn("ann@example.org", "s", "b").outcome == "stored"
    relay = block(mail_server, from_address="")
    with pytest.raises(ProtectedDomain):
        send_an_email.fn("ann@example.org", "s", "b", relay=relay)


@pytest.mark.parametrize("name", ["Errors-To", "Mail-Reply-To", "mail-followup-to"])
def test_headers_that_readers_answer_to_are_held_too(mail_server: MailServer, name: str) -> None:
    """A protected address in another address field is refused like Reply-To."""
    relay = block(mail_server)
    with pytest.raises(ProtectedDomain):
        send_an_email.fn("ann@example.org", "s", "b", headers={name: "a@corp.example"}, relay=relay)
