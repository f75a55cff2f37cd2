"""Several commands in one write, where the server offers it and nowhere else (RFC 2920)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    EmailError,
    OutcomeUnknown,
    PermanentFailure,
    RecipientsRefused,
)
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.smtp import Limits, Security
from prefect_smtp_relay.transports.smtp.connect.learned import Learned

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

SubmitAll = Callable[..., list[Receipt | EmailError]]

HELLO = "S: 220 mx.test\nEHLO PIPELINING\n"
STEPWISE = "S: 220 mx.test\nEHLO SIZE 0\n"
ENVELOPE = "C: MAIL\nC: RCPT\nC: DATA\n"
GRANTED = "S: 250 ok\nS: 250 ok\nS: 354 go on\n"
ANN, BEN = "ann@example.org", "ben@example.org"


def accepted(result: Receipt | EmailError) -> tuple[str, ...]:
    """Who was accepted; an error is raised."""
    if isinstance(result, EmailError):
        raise result
    return result.accepted


def test_the_envelope_goes_in_one_write(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """MAIL, RCPT and DATA are there before the server answers any of them."""
    receipt = submit(play(HELLO + ENVELOPE + GRANTED + "STORE\nS: 250 2.0.0 as 7\nSERVE"))
    assert (receipt.accepted, receipt.response) == ((ANN,), "250 2.0.0 as 7")


def test_nothing_is_pipelined_that_was_not_offered(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """Without the extension each command waits for the reply to the one before."""
    server = play(STEPWISE + "C: MAIL\nSILENCE")
    with pytest.raises(EmailError):
        submit(server, timeout_seconds=0.3)
    assert b"RCPT" not in server.heard


def test_nothing_is_written_behind_starttls(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """STARTTLS is the last word before the handshake, also where PIPELINING is offered."""
    server = play("S: 220 mx.test\nEHLO PIPELINING, STARTTLS\nC: STARTTLS\nSILENCE")
    with pytest.raises(EmailError):
        submit(server, security=Security.STARTTLS, timeout_seconds=0.3)
    assert server.heard.endswith(b"STARTTLS\r\n")


def test_an_offer_in_clear_is_forgotten_under_tls(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """Only what EHLO offers behind the handshake counts."""
    server = play(
        "S: 220 mx.test\nEHLO PIPELINING, STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\n"
        "EHLO SIZE 0\nC: MAIL\nSILENCE"
    )
    with pytest.raises(EmailError):
        submit(server, security=Security.STARTTLS, timeout_seconds=0.5)
    assert b"RCPT" not in server.heard


def test_each_status_is_heeded(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """Of four replies in one packet, each is its own recipient's."""
    server = play(
        f"{HELLO}C: MAIL\nC: RCPT\nC: RCPT\nC: RCPT\nC: DATA\n"
        "RAW 250 ok\\r\\n250 ok\\r\\n550 5.1.1 no\\r\\n451 4.7.1 later\\r\\n354 go\\r\\n\n"
        "STORE\nS: 250 ok\nSERVE"
    )
    receipt = submit(server, make_message(f"{ANN}, {BEN}, cat@example.org"))
    assert receipt.accepted == (ANN,)
    assert {a: r.code for a, r in receipt.refused.items()} == {BEN: 550, "cat@example.org": 451}


def test_a_refused_sender_leaves_the_session(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """The replies to what was pipelined behind MAIL are read, and the next mail goes at once."""
    server = play(
        f"{HELLO}{ENVELOPE}S: 451 4.3.0 later\nS: 503 no\nS: 503 no\n"
        f"{ENVELOPE}{GRANTED}STORE\nS: 250 ok\nSERVE"
    )
    first, second = submit_all(server, ANN, BEN)
    assert isinstance(first, EmailError)
    assert "(MAIL): the server answered 451 4.3.0 later" in str(first)
    assert accepted(second) == (BEN,)
    assert (server.connections, b"RSET" in server.heard) == (1, False)


def test_data_that_is_accepted_for_nobody_is_ended(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """A 354 that nobody needs gets the final dot and not an octet of the message."""
    server = play(
        f"{HELLO}{ENVELOPE}S: 250 ok\nS: 550 5.1.1 no such user\nS: 354 go on\n"
        f"C: .\nS: 554 5.5.1 no valid recipients\n{ENVELOPE}{GRANTED}STORE\nS: 250 ok\nSERVE"
    )
    first, second = submit_all(server, ANN, BEN)
    assert isinstance(first, RecipientsRefused)
    assert accepted(second) == (BEN,)
    assert (server.connections, [mail.forward_paths for mail in server.stored]) == (1, [(BEN,)])


def test_data_that_is_accepted_without_a_sender_gets_nothing(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """A server that refuses MAIL and says 354 has another transaction in mind: no dot for it."""
    server = play(
        f"{HELLO}{ENVELOPE}S: 550 5.7.1 not you\nS: 250 ok\nS: 354 go on\nSTORE\nS: 250 ok\nSERVE",
        HELLO + "SERVE",
    )
    first, second = submit_all(server, ANN, BEN)
    assert isinstance(first, PermanentFailure)
    assert accepted(second) == (BEN,)
    assert [mail.forward_paths for mail in server.stored] == [(BEN,)]


def test_a_transaction_that_outlives_its_refusal_gets_no_other_message(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """Postfix goes on with what a policy refused at its end: the next mail takes a new session."""
    server = play(
        f"{HELLO}{ENVELOPE}{GRANTED}BODY\n{ENVELOPE}S: 451 4.7.1 quota\n"
        "S: 503 5.5.1 nested MAIL\nS: 250 ok\nS: 354 go on\nSTORE\nS: 250 ok\nSERVE",
        HELLO + "SERVE",
    )
    first, second = submit_all(server, ANN, BEN)
    assert "451 4.7.1 quota" in str(first)
    assert accepted(second) == (BEN,)
    assert [mail.forward_paths for mail in server.stored] == [(BEN,)]


@pytest.mark.parametrize("hello", [HELLO, STEPWISE], ids=["pipelined", "stepwise"])
def test_a_refusal_at_the_end_is_followed_by_rset(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], hello: str
) -> None:
    """A kept session forgets the refused transaction before the next one begins."""
    server = play(
        f"{hello}SERVE 1\nC: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\nS: 354 go\n"
        "BODY\nS: 451 4.7.1 quota\nC: RSET\nS: 250 ok\nSERVE"
    )
    submit(server)
    with pytest.raises(EmailError, match="quota"):
        submit(server)
    submit(server)
    assert (server.connections, len(server.stored)) == (1, 2)


def test_a_server_that_loses_what_follows_a_message(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """It is noticed soon, the mail goes over a new session, and nothing follows a message again."""
    limits = Limits(next_reply_seconds=0.2)
    server = play(
        f"{HELLO}{ENVELOPE}{GRANTED}STORE\n{ENVELOPE}S: 250 2.0.0 one\nSILENCE",
        f"{HELLO}{ENVELOPE}{GRANTED}STORE\nWAIT 0.2\nRAW 250 2.0.0 two\\r\\n\nSERVE",
    )
    results = submit_all(server, ANN, BEN, "cat@example.org", limits=limits)
    assert [accepted(result) for result in results] == [(ANN,), (BEN,), ("cat@example.org",)]
    assert (server.connections, len(server.stored)) == (2, 3)
    assert process_memory.of(Learned).losing == {("127.0.0.1", server.port)}


@pytest.mark.parametrize("hello", [HELLO, STEPWISE], ids=["pipelined", "stepwise"])
def test_a_transaction_that_came_to_nothing_is_reset(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll, hello: str
) -> None:
    """All refused, and DATA too: RSET goes before the next MAIL (RFC 5321, section 4.1.1.2)."""
    data = "C: DATA\nS: 503 no\n" if hello == HELLO else ""
    server = play(
        f"{hello}C: MAIL\nS: 250 ok\nC: RCPT\nS: 550 5.1.1 no\n{data}"
        "C: RSET\nS: 250 ok\nC: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\nS: 354 go\n"
        "STORE\nS: 250 ok\nSERVE"
    )
    first, second = submit_all(server, ANN, BEN)
    assert isinstance(first, RecipientsRefused)
    assert accepted(second) == (BEN,)


def test_the_next_envelope_goes_behind_the_final_dot(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """In bulk, the next MAIL, RCPT and DATA are there before the message is answered."""
    server = play(
        f"{HELLO}{ENVELOPE}{GRANTED}STORE\n{ENVELOPE}S: 250 2.0.0 one\n{GRANTED}"
        f"STORE\n{ENVELOPE}S: 554 5.6.0 two\n{GRANTED}STORE\nS: 250 2.0.0 three\nSERVE"
    )
    one, two, three = submit_all(server, ANN, BEN, "cat@example.org")
    assert (accepted(one), accepted(three)) == ((ANN,), ("cat@example.org",))
    assert "554 5.6.0 two" in str(two)
    assert server.connections == 1


def test_what_was_announced_goes_over_a_new_connection(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """The reply to the first mail is lost: the second, only announced, is offered once more."""
    server = play(f"{HELLO}{ENVELOPE}{GRANTED}STORE\n{ENVELOPE}CLOSE", HELLO + "SERVE")
    first, second = submit_all(server, ANN, BEN)
    assert isinstance(first, OutcomeUnknown)
    assert accepted(second) == (BEN,)
    assert [mail.forward_paths for mail in server.stored] == [(ANN,), (BEN,)]


def test_replies_out_of_step_end_the_session(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """A reply too many would be taken for another command's: no mail follows in that session."""
    server = play(
        f"{HELLO}{ENVELOPE}S: 250 ok\nS: 250 ok\nS: 250 extra\nS: 354 go on\nSILENCE",
        HELLO + "SERVE",
    )
    first, second = submit_all(server, ANN, BEN)
    assert "250 extra" in str(first)
    assert accepted(second) == (BEN,)
    assert server.connections == 2


@pytest.mark.parametrize("hello", [HELLO, STEPWISE], ids=["pipelined", "stepwise"])
def test_a_refused_rset_ends_the_session(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], hello: str
) -> None:
    """What the server has in mind is unknown then: the mail goes over a new session."""
    refused = "C: RCPT\nS: 550 5.1.1 no\n"
    refused += "C: DATA\nS: 503 no\n" if hello == HELLO else ""
    rset = "C: RSET\nS: 500 what?\nANSWER 503 nested | RCPT 250 ok | DATA 354 go on | . 250 taken"
    server = play(f"{hello}SERVE 1\nC: MAIL\nS: 250 ok\n{refused}{rset}", hello + "SERVE")
    submit(server)
    with pytest.raises(RecipientsRefused):
        submit(server)
    assert submit(server).accepted == (ANN,)
    assert (server.connections, len(server.stored)) == (2, 2)


def test_an_acceptance_before_the_message_is_not_believed(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """A 250 that comes by itself before the body would be taken for the final reply."""
    granted = r"RAW 250 ok\r\n250 ok\r\n354 go on\r\n250 2.0.0 taken\r\n"
    server = play(f"{HELLO}{ENVELOPE}{granted}\nBODY\nS: 554 5.6.0 no")
    with pytest.raises(ConnectionFailed, match="out of step"):
        submit(server)
