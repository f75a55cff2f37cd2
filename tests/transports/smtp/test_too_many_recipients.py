"""A server that takes some recipients at a time gets the mail in several transactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import OutcomeUnknown, RecipientsRefused
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

NAMES = [f"{name}@example.org" for name in ("ann", "ben", "cat", "dan", "eve")]
TOO_MANY = {
    "452-enhanced": "452 4.5.3 too many recipients",
    "452-bare": "452 no more",
    "552-of-old": "552 too many recipients",
    "550-enhanced": "550 5.5.3 enough",
    "451-in-words": "451 4.7.1 Recipient limit exceeded",
}
HELLO = {"pipelined": "S: 220 mx.test\nEHLO PIPELINING\n", "stepwise": "S: 220 mx.test\nEHLO\n"}


@pytest.fixture
def to_five(make_message: Callable[..., Message]) -> Message:
    """A message to five, of whom the last one is in Bcc."""
    return make_message(NAMES[:4], bcc=NAMES[4])


def transaction(*replies: str, final: str = "250 ok") -> str:
    """The script of one transaction with these replies to RCPT."""
    recipients = "".join(f"C: RCPT\nS: {reply}\n" for reply in replies)
    return f"C: MAIL\nS: 250 ok\n{recipients}C: DATA\nS: 354 go\nSTORE\nS: {final}\n"


@pytest.mark.parametrize("reply", TOO_MANY.values(), ids=TOO_MANY.keys())
def test_the_rest_follows_in_the_next_transaction(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    to_five: Message,
    reply: str,
) -> None:
    """Everybody gets one copy, over one connection, however the server says that it is enough."""
    script = HELLO["pipelined"]
    script += transaction("250 ok", "250 ok", reply, reply, reply, final="250 2.0.0 one")
    server = play(script + "SERVE")
    receipt = submit(server, to_five)
    rest = [NAMES[2:]] if reply == TOO_MANY["452-bare"] else [NAMES[2:4], NAMES[4:]]
    assert [list(mail.forward_paths) for mail in server.stored] == [NAMES[:2], *rest]
    assert receipt.accepted == tuple(NAMES[:4])
    assert (receipt.bcc_accepted, receipt.refused) == (1, {})
    assert receipt.response.startswith("250 2.0.0 one; 250 ")
    assert server.connections == 1


def test_without_pipelining_nobody_is_offered_in_vain(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], to_five: Message
) -> None:
    """Behind the first 452 comes DATA, and the others wait for the next transaction."""
    server = play(
        HELLO["stepwise"] + transaction("250 ok", "250 ok", TOO_MANY["452-enhanced"]) + "SERVE"
    )
    submit(server, to_five)
    assert sorted(a for mail in server.stored for a in mail.forward_paths) == sorted(NAMES)


@pytest.mark.parametrize("hello", HELLO.values(), ids=HELLO.keys())
def test_a_server_that_takes_nobody_is_not_asked_for_ever(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    to_five: Message,
    hello: str,
) -> None:
    """452 for the first recipient of a transaction is a refusal, which may pass later."""
    server = play(f"{hello}ANSWER 452 4.5.3 too many | MAIL 250 ok | DATA 503 no")
    with pytest.raises(RecipientsRefused) as caught:
        submit(server, to_five)
    assert caught.value.transient
    assert server.heard.count(b"RCPT") == 5


def test_a_full_mailbox_is_no_limit(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], to_five: Message
) -> None:
    """452 4.2.2 speaks of one mailbox: it is that recipient's refusal."""
    full = "452 4.2.2 mailbox full"
    script = HELLO["pipelined"] + transaction("250 ok", full, "250 ok", "250 ok", "250 ok")
    receipt = submit(play(script + "SERVE"), to_five)
    assert (receipt.refused[NAMES[1]].code, receipt.deferred) == (452, (NAMES[1],))


def test_an_announced_limit_is_kept(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], to_five: Message
) -> None:
    """LIMITS RCPTMAX of RFC 9422 splits the transaction before the server has to."""
    server = play("S: 220 mx.test\nEHLO PIPELINING, LIMITS MAILMAX=9 RCPTMAX=2\nSERVE")
    submit(server, to_five)
    assert [len(mail.forward_paths) for mail in server.stored] == [2, 2, 1]


def test_no_transaction_has_more_than_every_server_takes(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """Beyond 100 recipients (RFC 5321, section 4.5.3.1.8) the mail goes in several transactions."""
    everybody = [f"user{number}@example.org" for number in range(250)]
    server = play(HELLO["pipelined"] + "SERVE")
    receipt = submit(server, make_message(everybody))
    assert [len(mail.forward_paths) for mail in server.stored] == [100, 100, 50]
    assert receipt.accepted == tuple(everybody)


@pytest.mark.parametrize("hello", HELLO.values(), ids=HELLO.keys())
def test_a_later_transaction_may_be_refused(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    to_five: Message,
    hello: str,
) -> None:
    """The first ones have the mail; the others are refused in the words of the final reply."""
    limit = TOO_MANY["452-enhanced"]
    rcpt = ["250 ok"] * 3 + [limit] * (2 if "PIPELINING" in hello else 1)
    second = transaction("250 ok", "250 ok", final="451 4.3.0 later")
    receipt = submit(play(hello + transaction(*rcpt) + second + "SERVE"), to_five)
    assert receipt.accepted == tuple(NAMES[:3])
    assert receipt.refused[NAMES[3]].code == 451
    assert receipt.deferred == (NAMES[3], NAMES[4])


def test_a_connection_lost_between_the_transactions(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], to_five: Message
) -> None:
    """Only those who still wait are offered over the new connection."""
    limit = TOO_MANY["452-enhanced"]
    script = HELLO["stepwise"] + transaction("250 ok", "250 ok", limit) + "C: MAIL\nCLOSE"
    server = play(script, HELLO["stepwise"] + "SERVE")
    receipt = submit(server, to_five)
    assert [mail.forward_paths for mail in server.stored] == [tuple(NAMES[:2]), tuple(NAMES[2:])]
    assert receipt.accepted == tuple(NAMES[:4])


def test_a_lost_reply_of_the_first_transaction_is_told(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], to_five: Message
) -> None:
    """What became of the first ones is unknown; with nobody accepted, that is the error."""
    limit = TOO_MANY["452-enhanced"]
    script = f"{HELLO['stepwise']}C: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: RCPT\nS: {limit}\n"
    with pytest.raises(OutcomeUnknown):
        submit(play(f"{script}C: DATA\nS: 354 go\nSTORE\nCLOSE"), to_five)


def test_a_server_that_refuses_all_because_of_some(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], to_five: Message
) -> None:
    """Where too many recipients spoil the transaction (Exim), it begins again with as many."""
    many = "550 5.5.3 too many recipients"
    rcpt = "".join(f"C: RCPT\nS: {reply}\n" for reply in ["250 ok"] * 2 + [many] * 3)
    server = play(
        f"{HELLO['pipelined']}C: MAIL\nS: 250 ok\n{rcpt}C: DATA\nS: 554 5.5.3 too many recipients\n"
        "C: RSET\nS: 250 ok\nSERVE"
    )
    receipt = submit(server, to_five)
    assert [len(mail.forward_paths) for mail in server.stored] == [2, 2, 1]
    assert (receipt.refused, server.connections) == ({}, 1)
