"""The table of the three TLS switches, against servers of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import DeliveryError, TimedOut, TlsFailed
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp import Security
from prefect_smtp_relay.transports.smtp.config import Limits
from prefect_smtp_relay.transports.smtp.connect.pool import Pool

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

Failure = tuple[type[DeliveryError], str]
Row = Mapping[str, str | Failure]

NO_STARTTLS: Failure = (TlsFailed, "does not offer STARTTLS")
NOT_DIRECT: Failure = (TlsFailed, "(`enable_starttls_auto`) on")
WAITS_FOR_TLS: Failure = (TlsFailed, "Switch *SSL* (`ssl`) on")
EITHER: Row = {"plain": NO_STARTTLS, "starttls": "encrypted", "tls": "encrypted"}
DIRECT: Row = {"plain": NOT_DIRECT, "starttls": NOT_DIRECT, "tls": "encrypted"}
STARTTLS: Row = {"plain": NO_STARTTLS, "starttls": "encrypted", "tls": WAITS_FOR_TLS}
IF_OFFERED: Row = {"plain": "in clear", "starttls": "encrypted", "tls": WAITS_FOR_TLS}
PLAIN_TEXT: Row = {"plain": "in clear", "starttls": "in clear", "tls": WAITS_FOR_TLS}

TABLE = {
    # ssl, enable_starttls, enable_starttls_auto
    (True, True, True): EITHER,
    (True, True, False): EITHER,
    (True, False, True): EITHER,
    (True, False, False): DIRECT,
    (False, True, True): STARTTLS,
    (False, True, False): STARTTLS,
    (False, False, True): IF_OFFERED,
    (False, False, False): PLAIN_TEXT,
}
CASES = [
    pytest.param(*switches, kind, expected, id=f"{''.join('ny'[s] for s in switches)}-{kind}")
    for switches, row in TABLE.items()
    for kind, expected in row.items()
]


@pytest.mark.parametrize(("direct", "starttls", "auto", "kind", "expected"), CASES)
def test_each_row_of_the_table(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    direct: bool,
    starttls: bool,
    auto: bool,
    kind: str,
    expected: str | Failure,
) -> None:
    """Each setting gives the promised encryption, or an error that says why not."""
    server = start_tls(kind)
    security = Security.of_switches(
        direct_tls=direct, enable_starttls=starttls, enable_starttls_auto=auto
    )
    patience = 1.0 if expected is WAITS_FOR_TLS else 5.0
    if isinstance(expected, str):
        submit(server, security=security, timeout_seconds=patience)
        assert [mail.encrypted for mail in server.mails] == [expected == "encrypted"]
        return
    with pytest.raises(expected[0]) as caught:
        submit(server, security=security, timeout_seconds=patience)
    assert expected[1] in str(caught.value)
    assert server.mails == []


@pytest.mark.parametrize("security", [Security.DIRECT_OR_STARTTLS, Security.STARTTLS])
def test_a_stripped_starttls_is_an_error(
    start_tls: Callable[..., MailServer], submit: Callable[..., Receipt], security: Security
) -> None:
    """Where TLS was asked for and somebody hides STARTTLS, no mail crosses in clear."""
    server = start_tls(hidden_extensions=["STARTTLS"])
    with pytest.raises(TlsFailed, match="does not offer STARTTLS"):
        submit(server, security=security)
    assert server.mails == []


def test_a_failed_handshake_never_falls_back(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """STARTTLS that was offered and then fails ends the session, even where TLS was optional."""
    server = play(
        """
        S: 220 mx.test
        C: EHLO
        S: 250-mx.test
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go on
        HEAR
        S: 250 this is not TLS
        """
    )
    with pytest.raises(TlsFailed):
        submit(server, security=Security.STARTTLS_IF_OFFERED)
    assert server.connections == 1
    assert b"MAIL" not in server.heard


def test_starttls_is_remembered(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    logged: Callable[[], list[str]],
) -> None:
    """The second mail to a STARTTLS server opens one connection, and the hint is logged once."""
    server = start_tls()
    submit(server, security=Security.DIRECT_OR_STARTTLS)
    first = server.connections
    process_memory.of(Pool).close()
    submit(server, security=Security.DIRECT_OR_STARTTLS)
    assert (first, server.connections) == (2, 3)
    (hint,) = logged()
    assert "switch *SSL* (`ssl`) off and *Force STARTTLS* (`enable_starttls`) on" in hint


def test_a_direct_tls_server_needs_one_connection(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    logged: Callable[[], list[str]],
) -> None:
    """A server of SMTPS is spoken to at once, and nothing is logged."""
    server = start_tls("tls")
    submit(server, security=Security.DIRECT_OR_STARTTLS)
    assert server.connections == 1
    assert logged() == []


def test_a_server_that_changed_its_kind_of_tls(
    certificates: Certificates, start_tls: Callable[..., MailServer], submit: Callable[..., Receipt]
) -> None:
    """A server that went from STARTTLS to direct TLS is spoken to as it is now."""
    with MailServer("starttls", certificates.server_context) as old:
        submit(old, security=Security.DIRECT_OR_STARTTLS)
    new = start_tls("tls", port=old.port)
    submit(new, security=Security.DIRECT_OR_STARTTLS, timeout_seconds=1.0)
    assert [mail.encrypted for mail in new.mails] == [True]


def test_ehlo_is_said_again_over_tls(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """What the server announced before the handshake counts for nothing after it."""
    server = play(
        """
        S: 220 mx.test
        C: EHLO
        S: 250-mx.test
        S: 250-SIZE 10
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go on
        TLS
        C: EHLO
        S: 250 mx.test
        C: MAIL FROM:<flows@example.org>
        S: 250 ok
        C: RCPT
        S: 250 ok
        C: DATA
        S: 354 go on
        BODY
        S: 250 taken
        C: QUIT
        S: 221 bye
        """
    )
    assert submit(server, security=Security.STARTTLS).accepted == ("ann@example.org",)


def test_a_slow_greeting_is_waited_for_at_the_second_try(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """A server that says nothing fails soon, once; if it is only slow, the next try succeeds."""
    slow = (
        "WAIT 0.6\nS: 220 mx\nC: EHLO\nS: 250 mx\nC: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\n"
    )
    server = play(f"{slow}S: 354 go on\nBODY\nS: 250 taken\nC: QUIT\nS: 221 bye")
    limits = Limits(silence_seconds=0.1, probe_seconds=0.1, first_greeting_seconds=0.1)
    with pytest.raises(TimedOut, match="The server said nothing"):
        submit(server, limits=limits)
    assert submit(server, limits=limits).accepted == ("ann@example.org",)
