"""A refusal is read by its codes and words, at whichever step it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import EmailError, RecipientsRefused
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import Security

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

HELLO = "S: 220 mx.test\nEHLO SIZE 0\n"
REST = "\nANSWER 503 no | RSET 250 ok | QUIT 221 bye"
STEPS = {
    "MAIL": "C: MAIL\nS: {}" + REST,
    "RCPT": "C: MAIL\nS: 250 ok\nC: RCPT\nS: {}" + REST,
    "DATA": "C: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\nS: {}" + REST,
    "final reply": "C: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\nS: 354 go\nBODY\nS: {}" + REST,
}
FROM = "set *From address* (`from_address`)"
DOMAIN = "set *Advanced: HELO domain* (`domain`)"
LOGIN = "*Username* (`username`) and *Password* (`password`)"
XOAUTH2 = "set *Authentication* (`authentication`) to xoauth2"
BLOCKLIST = "This host's IP address is on a blocklist"
QUOTA = "has sent as much as the relay permits"

AT_ANY_STEP = [
    ("553 5.7.1 <me@x.org>: Sender address rejected: not owned by user ann", FROM),
    ("550 5.7.60 SMTP; Client does not have permissions to send as this sender", FROM),
    ("554 5.2.252 SendAsDenied; flows@example.org not allowed to send as me@example.org", FROM),
    ("553 Relaying disallowed as flows@example.org", FROM),
    ("501 mail from address must be same as authorization user", FROM),
    ("554 Message rejected: Email address is not verified. flows@example.org", FROM),
    ("550 The from address does not match a verified Sender Identity.", FROM),
    ("550 Sender verify failed", f"whether the sender exists: {FROM}"),
    ("450 4.1.8 <f@x.invalid>: Sender address rejected: Domain not found", "in a domain that DNS"),
    ("553 5.1.8 Domain of sender address f@x.invalid does not exist", "in a domain that DNS"),
    ("550 5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy", "DKIM"),
    ("550 SPF check failed", "(SPF, DKIM, DMARC)"),
    ("504 5.5.2 <25aea3>: Helo command rejected: need fully-qualified hostname", DOMAIN),
    ("450 4.7.1 <worker>: Helo command rejected: Host not found", DOMAIN),
    ("550 5.7.1 Invalid EHLO name", DOMAIN),
    ("450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", "(PTR)"),
    ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example", BLOCKLIST),
    ("550 5.7.606 Access denied, banned sending IP [192.0.2.1]", BLOCKLIST),
    ("554 IP listed by Spamhaus, see https://check.spamhaus.org", BLOCKLIST),
    ("451 4.7.1 Greylisting in action, please come back in 5 minutes", "(greylisting)"),
    ("450 4.2.0 <ann@x.org>: Recipient address rejected: Greylisted", "(greylisting)"),
    ("451 4.3.0 Try again later", "asks to try again later"),
    ("554 5.7.1 <ann@example.org>: Relay access denied", LOGIN),
    ("550 5.7.1 Unable to relay for ann@example.org", LOGIN),
    ("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", LOGIN),
    ("530 5.7.57 Client not authenticated to send mail", LOGIN),
    ("553 5.7.1 <me@x.org>: Sender address rejected: not logged in", LOGIN),
    ("550 5.4.5 Daily user sending limit exceeded", QUOTA),
    ("450 4.7.1 Error: too much mail from 192.0.2.1", QUOTA),
    ("554 5.7.1 Rate limit exceeded for flows@example.org", QUOTA),
    ("550 5.7.508 Access denied, [192.0.2.1] has exceeded permitted limits within 1 hour", QUOTA),
    ("550 5.7.30 Basic authentication is not supported for Client Submission.", XOAUTH2),
    ("552 5.3.4 Message size exceeds fixed limit", "attach less"),
    ("554 5.7.1 <worker[192.0.2.1]>: Client host rejected: Access denied", "not serve this host"),
    ("550 5.7.708 Access denied, traffic not accepted from this IP", BLOCKLIST),
]
OF_THE_RECIPIENT = [
    ("550 5.1.1 <ann@x.org>: Recipient address rejected: User unknown", "check the recipient's"),
    ("550 No such user here", "check the recipient's"),
    ("550 5.4.1 Recipient address rejected: Access denied", "check the recipient's"),
    ("504 5.5.2 <ann>: Recipient address rejected: need fully-qualified address", "recipient's"),
    ("452 4.2.2 The email account that you tried to reach is over quota", "mailbox is full"),
    ("552 5.2.2 Mailbox full", "mailbox is full"),
    ("450 4.2.0 <ann@x.org>: Recipient address rejected: try later", "asks to try again later"),
    ("550 5.7.1 no", "Check the recipient's address"),
]
BLAME = ("Check the recipient's address", "check the recipient's", "Check the addresses")


@pytest.fixture
def refusal(
    play: Callable[..., ScriptedServer], submit: Callable[..., Receipt]
) -> Callable[[str, str], str]:
    """The text of the error after one reply at one step."""

    def refuse(step: str, reply: str) -> str:
        with pytest.raises(EmailError) as caught:
            submit(play(HELLO + STEPS[step].format(reply)))
        return str(caught.value)

    return refuse


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("reply", "advice"), AT_ANY_STEP)
def test_what_is_not_the_recipient_s_fault(
    refusal: Callable[[str, str], str], step: str, reply: str, advice: str
) -> None:
    """The sender, the greeting name, lists, quotas and permissions are told apart at every step."""
    text = refusal(step, reply)
    assert advice in text
    assert not any(words in text for words in BLAME)


@pytest.mark.parametrize(("reply", "advice"), OF_THE_RECIPIENT)
def test_what_is_the_recipient_s(
    refusal: Callable[[str, str], str], reply: str, advice: str
) -> None:
    """Only then is the address in question."""
    text = refusal("RCPT", reply)
    assert advice in text
    assert "From address" not in text


@pytest.mark.parametrize("reply", ["555 5.5.4 Unsupported option: SIZE", "501 5.5.4 Bad parameter"])
def test_a_parameter_is_not_the_sender(refusal: Callable[[str, str], str], reply: str) -> None:
    """What the relay says of a parameter of MAIL does not put the blame on the sender."""
    text = refusal("MAIL", reply)
    assert text.endswith("Check with the relay's administrator what it refuses.")


@pytest.mark.parametrize("step", STEPS)
def test_the_relay_s_full_stop_is_not_doubled(
    refusal: Callable[[str, str], str], step: str
) -> None:
    """A reply that is a sentence ends as one."""
    assert "gone away. " in refusal(step, "554 5.7.1 The bird has gone away.")


def test_each_reason_is_told_once(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """Recipients refused for several reasons bring each advice, and none of them twice."""
    rcpt = "".join(f"C: RCPT\nS: {reply}\n" for reply in ("550 5.1.1 no", "450 4.7.1 Greylisted"))
    server = play(f"{HELLO}C: MAIL\nS: 250 ok\n{rcpt}C: RCPT\nS: 550 5.1.1 no{REST}")
    with pytest.raises(RecipientsRefused) as caught:
        submit(server, make_message("a@example.org, b@example.org, c@example.org"))
    assert str(caught.value).count("check the recipient's address") == 1
    assert str(caught.value).endswith("(greylisting): a later try usually passes.")


@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
@pytest.mark.parametrize(("reply", "advice"), AT_ANY_STEP)
def test_a_check_says_the_same(
    play: Callable[..., ScriptedServer],
    check: Callable[..., Report],
    step: str,
    reply: str,
    advice: str,
) -> None:
    """`check` reads refusals by the same table."""
    report = check(
        play(HELLO + STEPS[step].format(reply)),
        security=Security.PLAIN_TEXT,
        recipient=Mailbox.parse("ann@example.org"),
    )
    assert advice in report.step(step).detail
