"""Recipients: who was refused and why, and how Bcc stays blind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import PermanentFailure, RecipientsRefused
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt, Refusal
from prefect_smtp_relay.testing.mail_server import MailServer

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

HELLO = "S: 220 mx.test\nC: EHLO\nS: 250 mx.test\nC: MAIL\nS: 250 ok\n"


def test_the_envelope_keeps_its_order(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """Every recipient is named once, to, cc, then bcc; the sender is the reverse-path."""
    server = start()
    message = make_message(
        "zoe@example.org, ann@example.org",
        cc="ben@example.org, ann@example.org",
        bcc="eve@example.org, zoe@example.org",
        from_="Flows <flows@example.org>",
    )
    submit(server, message)
    (mail,) = server.mails
    names = ("zoe", "ann", "ben", "eve")
    assert mail.forward_paths == tuple(f"{name}@example.org" for name in names)
    assert mail.reverse_path == "flows@example.org"


def test_bcc_gets_the_mail_and_stands_nowhere(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """A Bcc recipient is in the envelope, and in neither the octets nor the receipt."""
    server = start()
    receipt = submit(server, make_message(bcc="Eve <eve@example.org>"))
    (mail,) = server.mails
    assert "eve@example.org" in mail.forward_paths
    assert b"eve" not in mail.octets.lower()
    assert b"\nbcc:" not in mail.octets.lower()
    assert "eve" not in receipt.model_dump_json()
    assert receipt.bcc_accepted == 1


def test_some_refused_is_a_receipt(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """The others get the mail; the receipt names who does not, in the server's words."""
    server = start(
        refused={
            "ben@example.org": "550 5.1.1 no such user",
            "cat@example.org": "451 4.7.1 greylisted",
            "eve@example.org": "550 5.1.1 no such user",
        }
    )
    to = "ann@example.org, ben@example.org, cat@example.org"
    receipt = submit(server, make_message(to, bcc="eve@example.org"))
    assert receipt.accepted == ("ann@example.org",)
    assert receipt.refused == {
        "ben@example.org": Refusal(code=550, enhanced_code="5.1.1", text="no such user"),
        "cat@example.org": Refusal(code=451, enhanced_code="4.7.1", text="greylisted"),
    }
    assert (receipt.bcc_accepted, receipt.bcc_refused) == (0, 1)
    assert [mail.forward_paths for mail in server.mails] == [("ann@example.org",)]


@pytest.mark.parametrize(
    ("replies", "transient"),
    [
        (["550 5.1.1 no", "550 5.1.1 no"], False),
        (["451 4.7.1 later", "450 4.2.1 later"], True),
        (["451 4.7.1 later", "550 5.1.1 no"], False),
    ],
    ids=["permanent", "transient", "mixed"],
)
def test_all_refused_is_an_error(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
    replies: list[str],
    transient: bool,
) -> None:
    """Nobody accepted is an error, transient only if every refusal is; no DATA follows."""
    server = start(refused=dict(zip(("ann@example.org", "ben@example.org"), replies, strict=True)))
    with pytest.raises(RecipientsRefused) as caught:
        submit(server, make_message("ann@example.org, ben@example.org"))
    assert caught.value.transient is transient
    assert list(caught.value.refusals) == ["ann@example.org", "ben@example.org"]
    assert all(reply in str(caught.value) for reply in replies)
    assert server.mails == []


def test_a_refused_bcc_is_not_shown(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """The error numbers Bcc recipients, also where the server's own words repeat the address."""
    refused = {
        "ann@example.org": "550 5.1.1 <ann@example.org>: no such user",
        "eve@example.org": "550 5.1.1 <Eve@Example.org>: no such user eve, but evelyn",
    }
    with pytest.raises(RecipientsRefused) as caught:
        submit(start(refused=refused), make_message(bcc="eve@example.org"))
    assert "<ann@example.org>: no such user" in str(caught.value)
    assert "Bcc recipient 2: 550 5.1.1 <***>: no such user ***, but evelyn" in str(caught.value)
    assert "eve@" not in f"{caught.value!s} {caught.value!r} {caught.value.args}".lower()


def test_a_bcc_address_in_the_final_words_is_not_kept(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """A server that lists whom it took does not bring a Bcc address into the receipt."""
    server = play(
        f"{HELLO}C: RCPT TO:<ann@example.org>\nS: 250 ok\nC: RCPT TO:<eve@example.org>\nS: 250 ok\n"
        "C: DATA\nS: 354 go on\nBODY\nS: 250 taken for ann@example.org eve@example.org\nC: QUIT"
    )
    receipt = submit(server, make_message(bcc="eve@example.org"))
    assert receipt.response == "250 taken for ann@example.org ***"


@pytest.mark.parametrize("ending", ["RESET", "", "SILENCE", "S: 421 too many errors"])
def test_why_nobody_was_accepted_outlives_the_connection(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt], ending: str
) -> None:
    """A server that goes after its last refusal does not hide the refusals."""
    server = play(f"{HELLO}C: RCPT\nS: 550 5.1.1 no such user\nC: QUIT\n{ending}")
    with pytest.raises(RecipientsRefused, match=r"ann@example\.org: 550 5\.1\.1 no such user"):
        submit(server, timeout_seconds=0.3)


def test_a_forwarded_recipient_is_accepted(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> None:
    """251 and 252 take the recipient as 250 does (RFC 5321, section 3.4)."""
    server = play(
        f"{HELLO}C: RCPT\nS: 251 will forward\nC: DATA\nS: 354 go on\nBODY\nS: 250 ok\nC: "
    )
    assert submit(server).accepted == ("ann@example.org",)


def test_accepted_recipients_do_not_outlive_a_refused_message(
    start: Callable[..., MailServer], submit: Callable[..., Receipt]
) -> None:
    """A message that is refused after its recipients were taken is refused as a whole."""
    with pytest.raises(PermanentFailure, match=r"554 5\.7\.1 spam") as caught:
        submit(start(refused={"DATA": "554 5.7.1 spam"}))
    assert (caught.value.code, caught.value.enhanced_code) == (554, "5.7.1")
