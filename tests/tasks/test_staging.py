"""``redirect_to`` and ``allowed_recipients``: no mail of a staging machine reaches real people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prefect import flow

from prefect_smtp_relay import (
    SMTP,
    SendAnEmail,
    email_on_failure,
    render,
    send_an_email,
    send_emails,
)
from prefect_smtp_relay.exceptions import RecipientNotAllowed
from prefect_smtp_relay.testing.mail_server import MailServer, ReceivedMail
from tests.clock import FastClock

SetSetting = Callable[[str, str], None]
Send = Callable[..., Any]

ANN, BOB, EVE = "ann@example.org", "bob@example.org", "eve@example.com"
MAIL: dict[str, Any] = {"to": ANN, "cc": BOB, "bcc": EVE, "subject": "s", "body": "Hello"}


@pytest.fixture
def set_setting(monkeypatch: pytest.MonkeyPatch) -> SetSetting:
    """Set a setting as the operator does."""
    return lambda name, text: monkeypatch.setenv(
        f"PREFECT_INTEGRATIONS_SMTP_RELAY_{name.upper()}", text
    )


@pytest.fixture
def connected(mail_server: MailServer, fast_clock: FastClock) -> MailServer:
    """Connect the mail server as the preferred relay."""
    del fast_clock
    connect(mail_server)
    return mail_server


def connect(server: MailServer) -> None:
    """Save a block for a mail server."""
    SMTP(address=server.host, port=server.port, ssl=False, from_address="ops@example.org").save(
        "main", overwrite=True
    )


def notify(**mail: Any) -> None:
    """Send through the block of automations."""
    SendAnEmail(to=mail["to"], cc=mail["cc"], bcc=mail["bcc"]).notify(mail["body"])


def fail_a_run(**mail: Any) -> None:
    """Send by the hook of a flow that fails."""
    hook = email_on_failure(mail["to"], cc=mail["cc"], bcc=mail["bcc"])

    @flow(on_failure=[hook])
    def failing() -> None:
        raise ValueError

    failing(return_state=True)


WAYS: dict[str, Send] = {
    "send_an_email": send_an_email.fn,
    "send_emails": lambda **mail: send_emails.fn([mail]),
    "notify": notify,
    "hook": fail_a_run,
}


def plain(mail: ReceivedMail) -> str:
    """The text part of a mail."""
    part = mail.message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize("way", WAYS)
def test_every_way_is_redirected(connected: MailServer, set_setting: SetSetting, way: str) -> None:
    """The one address gets the mail, nobody else does, and both parts name who would have."""
    set_setting("redirect_to", "Staging <staging@example.net>")
    WAYS[way](**MAIL)
    (mail,) = connected.mails
    assert mail.forward_paths == ("staging@example.net",)
    assert mail.message["To"] == "Staging <staging@example.net>"
    assert mail.message["Cc"] is None
    assert mail.message["X-Original-To"] == f"{ANN}, {BOB}"
    line = f"Redirected. To: {ANN}; Cc: {BOB}; Bcc: 1 address."
    page = mail.message.get_body(("html",))
    assert page is not None
    assert plain(mail).replace(" \n", " ").startswith(line)
    assert page.get_content().partition("<body")[2].partition("</div>")[0].endswith(line)
    assert EVE.encode() not in mail.octets


@pytest.mark.parametrize("way", WAYS)
def test_every_way_refuses_who_is_not_allowed(
    connected: MailServer, set_setting: SetSetting, way: str
) -> None:
    """One recipient too many, even in Bcc, and no relay is asked."""
    set_setting("allowed_recipients", "example.org")
    if way in {"notify", "hook"}:
        WAYS[way](**MAIL)
    else:
        with pytest.raises(
            Exception, match=r"bcc: 1 of its addresses .* allowed_recipients"
        ) as got:
            WAYS[way](**MAIL)
        assert EVE not in str(got.value)
    assert connected.connections == 0


def test_the_command_line_is_redirected_and_refused(
    connected: MailServer, set_setting: SetSetting, run_cli: Callable[..., Any]
) -> None:
    """``send`` obeys both settings."""
    set_setting("redirect_to", "staging@example.net")
    assert run_cli("send", ANN).code == 0
    assert [mail.forward_paths for mail in connected.mails] == [("staging@example.net",)]
    set_setting("redirect_to", "")
    set_setting("allowed_recipients", "example.net")
    refused = run_cli("send", ANN)
    assert refused.code != 0
    assert f"to: {ANN} cannot get mail" in refused.err
    assert len(connected.mails) == 1


def test_a_flush_obeys_the_settings_of_now(
    mail_server: MailServer, set_setting: SetSetting, run_cli: Callable[..., Any]
) -> None:
    """What was stored before is refused, or redirected; what was redirected stays so."""
    assert send_an_email.fn(**MAIL).outcome == "stored"
    connect(mail_server)
    set_setting("allowed_recipients", f"{ANN}, {BOB}")
    assert "allowed_recipients" in run_cli("outbox", "flush").err
    assert mail_server.connections == 0
    set_setting("redirect_to", "staging@example.net")
    set_setting("allowed_recipients", "example.net")
    assert run_cli("outbox", "flush").code == 0
    (mail,) = mail_server.mails
    assert mail.forward_paths == ("staging@example.net",)
    assert "Bcc: 1 address." in plain(mail)
    send_an_email.fn(**MAIL, relay="outbox")
    set_setting("redirect_to", "")
    assert run_cli("outbox", "flush").code == 0
    set_setting("redirect_to", "staging@example.net")
    send_an_email.fn(**MAIL, relay="outbox")
    assert run_cli("outbox", "flush").code == 0
    for mail in mail_server.mails[1:]:
        assert mail.forward_paths == ("staging@example.net",)
        assert plain(mail).count("Redirected.") == 1


@pytest.mark.parametrize(
    ("allowed", "address", "is_allowed"),
    [
        ("example.org", "a@EXAMPLE.org", True),
        ("@example.org", "a@example.org", True),
        ("example.org", "a@mail.example.org", False),
        ("*.example.org", "a@mail.example.org", True),
        ("*.example.org", "a@example.org", False),
        ("*.example.org", "a@notexample.org", False),
        ("Ann@example.org", "ann@Example.org", True),
        ("ann@example.org", "bob@example.org", False),
        ("b\u00fccher.example", "a@xn--bcher-kva.example", True),
        ("*.xn--bcher-kva.example", "a@shop.b\u00fccher.example", True),
    ],
)
def test_domains_and_addresses(
    set_setting: SetSetting, allowed: str, address: str, is_allowed: bool
) -> None:
    """A domain is exactly that one, ``*.`` is what lies below it; case and script do not matter."""
    set_setting("allowed_recipients", allowed)
    if is_allowed:
        assert render(address, "s", "b").message.to[0].address
    else:
        with pytest.raises(RecipientNotAllowed, match=r"to: (a|bob)@"):
            render(address, "s", "b")


def test_pages_of_the_caller_s_own_are_redirected_too(set_setting: SetSetting) -> None:
    """HTML without a body element, or with attributes on it, shows the line; text alone does."""
    set_setting("redirect_to", "staging@example.net")
    assert render(ANN, "s", html="<p>Hi</p>").html.startswith("<div style=")
    page = render(ANN, "s", html='<html><BODY class="a">Hi</BODY></html>').html
    assert page.startswith('<html><BODY class="a"><div style=')
    alone = render([], "s", text="Hi", bcc=[ANN, BOB])
    assert (alone.html, alone.text) == ("", "Redirected. Bcc: 2 addresses.\n\nHi")
    assert b"\r\nX-Original-To: undisclosed-recipients:;\r\n" in alone.eml


def test_a_key_is_used_once_under_redirection(
    connected: MailServer, set_setting: SetSetting
) -> None:
    """The second mail of a key is the first one's receipt, as ever."""
    set_setting("redirect_to", "staging@example.net")
    first = send_an_email.fn(**MAIL, idempotency_key="k")
    assert send_an_email.fn(**MAIL, idempotency_key="k") == first
    assert len(connected.mails) == 1


def test_a_protected_recipient_is_named_all_the_same(
    connected: MailServer, set_setting: SetSetting
) -> None:
    """``protected_domains`` is about senders: a recipient there is no reason to refuse the mail."""
    set_setting("protected_domains", "corp.example")
    set_setting("redirect_to", "staging@example.net")
    send_an_email.fn("ceo@corp.example", "s", "b")
    assert connected.mails[0].message["X-Original-To"] == "ceo@corp.example"
