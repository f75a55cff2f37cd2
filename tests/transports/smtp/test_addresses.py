"""A host with several addresses: the next is tried while nothing was submitted (RFC 5321, 5.1)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    ConnectionFailed,
    EmailError,
    PermanentFailure,
    TlsFailed,
    TransientFailure,
)
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import Credentials, Security
from prefect_smtp_relay.transports.smtp.connect.pool import Pool

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

Play = Callable[..., "ScriptedServer"]
Start = Callable[..., MailServer]
Submit = Callable[..., Receipt]
FIRST, SECOND = "127.0.0.2", "127.0.0.3"
TWO = "mx.two.test"


@pytest.fixture(autouse=True)
def _dns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a name have two addresses."""
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        if host != TWO:
            return real(host, port, *args, **options)
        stream = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*stream, (address, port)) for address in (FIRST, SECOND)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


GREETS = "S: 220 mx\nC: EHLO\n"
OPENINGS = [
    pytest.param("S: 421 4.3.2 closing", id="421"),
    pytest.param("S: 450 4.3.2 busy", id="450"),
    pytest.param(f"{GREETS}S: 421 4.3.2 closing", id="421-to-ehlo"),
    pytest.param("", id="hangs-up"),
    pytest.param("RESET", id="resets"),
    pytest.param("SILENCE", id="silent"),
    pytest.param(f"{GREETS}SILENCE", id="silent-after-ehlo"),
    pytest.param(f"{GREETS}S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 454 4.7.0 no", id="454"),
    pytest.param(f"{GREETS}S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nHEAR", id="no-tls"),
]


@pytest.mark.parametrize("opening", OPENINGS)
def test_the_second_address_gets_the_mail(
    play: Play, start_tls: Start, submit: Submit, opening: str
) -> None:
    """Whatever passes, or is wrong with TLS, at the first address leads to the second."""
    second = start_tls(host=SECOND)
    play(opening, host=FIRST, port=second.port)
    settings = {"security": Security.STARTTLS, "timeout_seconds": 1.0}
    assert submit(second, address=TWO, **settings).accepted == ("ann@example.org",)
    assert len(second.mails) == 1


def test_an_address_where_nobody_listens(start: Start, submit: Submit) -> None:
    """A refused connection leads to the second address."""
    second = start(host=SECOND)
    submit(second, address=TWO)
    assert len(second.mails) == 1


def test_an_address_that_does_not_answer(start: Start, submit: Submit) -> None:
    """A dead address does not use up the time of the others (RFC 8305)."""
    second = start(host=SECOND)
    with socket.socket() as dead:
        dead.bind((FIRST, second.port))
        dead.listen(0)
        waiting = [socket.socket() for _ in range(2)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex((FIRST, second.port))
        submit(second, address=TWO, timeout_seconds=30.0)
        for each in waiting:
            each.close()
    assert len(second.mails) == 1


def test_a_certificate_that_is_wrong_at_one_address(
    start: Start, submit: Submit, issue: Callable[..., tuple[str, ssl.SSLContext]]
) -> None:
    """A handshake that fails leads to the second address, whose certificate is checked as well."""
    pem, good = issue(TWO)
    _, other = issue("mail.example.org")
    second = start(security="tls", tls_context=good, host=SECOND)
    first = start(security="tls", tls_context=other, host=FIRST, port=second.port)
    trust = {"verify_peer": True, "ca_certificate": pem}
    submit(second, address=TWO, security=Security.DIRECT, **trust)
    assert (len(first.mails), len(second.mails)) == (0, 1)


def test_what_worked_is_remembered(play: Play, start: Start, submit: Submit) -> None:
    """The next connection begins at the address that served the last one."""
    second = start(host=SECOND)
    first = play("S: 421 4.3.2 closing", host=FIRST, port=second.port)
    for _ in range(3):
        submit(second, address=TWO)
        process_memory.of(Pool).close()
    assert (first.connections, len(second.mails)) == (1, 3)


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_an_address_that_closes_before_it_takes_the_mail(
    play: Play, start: Start, submit: Submit, stage: str
) -> None:
    """A 421 in place of a yes leads to the second address, which is the first one from then on."""
    before = {"MAIL": "", "RCPT": "C: MAIL\nS: 250 ok\n"}
    before["DATA"] = f"{before['RCPT']}C: RCPT\nS: 250 ok\n"
    second = start(host=SECOND)
    opening = f"{GREETS}S: 250 mx\n{before[stage]}C: {stage}\nS: 421 4.3.2 closing"
    first = play(opening, host=FIRST, port=second.port)
    for _ in range(2):
        submit(second, address=TWO)
        process_memory.of(Pool).close()
    assert (first.connections, len(second.mails)) == (1, 2)


def test_a_message_that_was_handed_over_waits_for_the_next_try(
    play: Play, start: Start, submit: Submit
) -> None:
    """A 421 to the final dot is told, and the next try begins at the second address."""
    second = start(host=SECOND)
    opening = f"{GREETS}S: 250 mx\nC: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\nS: 354 go\nBODY"
    play(f"{opening}\nS: 421 4.3.2 closing", host=FIRST, port=second.port)
    with pytest.raises(TransientFailure, match=r"421 4\.3\.2 closing"):
        submit(second, address=TWO)
    assert submit(second, address=TWO).accepted == ("ann@example.org",)


def test_what_worked_is_no_promise(start: Start, submit: Submit) -> None:
    """Where the remembered address fails, the others are tried again."""
    with MailServer(host=FIRST) as first:
        submit(first, address=TWO)
        process_memory.of(Pool).close()
    second = start(host=SECOND, port=first.port)
    submit(second, address=TWO)
    assert len(second.mails) == 1


@pytest.mark.parametrize(
    ("opening", "kind"),
    [
        ("S: 554 5.7.1 go away", PermanentFailure),
        ("S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH\nS: 535 5.7.8 no",
         AuthenticationFailed),
        ("S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH\nS: 454 4.7.0 later",
         TransientFailure),
    ],
    ids=["554", "535", "454-to-auth"],
)  # fmt: skip
def test_what_is_said_for_good_counts_for_all(
    play: Play,
    start: Start,
    submit: Submit,
    account: Callable[..., Credentials],
    opening: str,
    kind: type[EmailError],
) -> None:
    """A refusal for good, or of a login, is the host's: no other address is asked."""
    second = start(host=SECOND)
    play(opening, host=FIRST, port=second.port)
    with pytest.raises(kind):
        submit(second, address=TWO, credentials=account("ann", "pass"))
    assert second.connections == 0


def test_the_error_is_that_of_who_answered(play: Play, submit: Submit) -> None:
    """Where the second address cannot be reached, the reply of the first one is told."""
    first = play("S: 421 4.3.2 closing", host=FIRST)
    with pytest.raises(TransientFailure, match=r"421 4\.3\.2 closing") as caught:
        submit(first, address=TWO)
    assert not isinstance(caught.value, ConnectionFailed)


def test_a_certificate_that_is_wrong_everywhere(
    start: Start, submit: Submit, issue: Callable[..., tuple[str, ssl.SSLContext]]
) -> None:
    """It is told as what it is, and is permanent."""
    pem, context = issue("mail.example.org")
    second = start(security="tls", tls_context=context, host=SECOND)
    start(security="tls", tls_context=context, host=FIRST, port=second.port)
    trust = {"verify_peer": True, "ca_certificate": pem}
    with pytest.raises(TlsFailed, match="for another host"):
        submit(second, address=TWO, security=Security.DIRECT, **trust)


def test_a_check_says_which_address_failed(
    play: Play, start: Start, check: Callable[..., Report]
) -> None:
    """The relay works all the same: the failure is a warning, and nothing is recommended for it."""
    second = start(host=SECOND)
    play("S: 421 4.3.2 closing", host=FIRST, port=second.port)
    report = check(second, address=TWO, security=Security.PLAIN_TEXT)
    greetings = [step for step in report.steps if step.name == "greeting"]
    assert report.has_passed
    assert [step.outcome for step in greetings] == ["warning", "ok"]
    assert "Another address of the host took its place" in greetings[0].detail
    assert report.step("DNS").detail == f"{FIRST}, {SECOND}"
    assert not report.recommendation
