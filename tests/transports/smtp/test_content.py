"""What the server gets is what was written, octet for octet, whatever it announces."""

from __future__ import annotations

import random
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from prefect_smtp_relay.exceptions import MessageTooLarge, UnsupportedFeature
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.render import render_mime
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp.session.wire import stuff_dots

BODIES = {
    "dots": ".\n..\n.hidden\n\n.\n",
    "a dot at the end": "the end\n.",
    "from": "From here on\n>From there\nFrom me",
    "long lines": "x" * 3000 + "\n" + "word " * 700,
    "other letters": "Größe: 5 µm — 密码 🎉\n",
    "line ends": "a\r\nb\rc\nd\n\n\n",
    "a boundary": "--=_boundary\n--\n",
    "blank": "",
    "commands": "QUIT\r\n.\r\nMAIL FROM:<eve@example.org>\r\n",
}


def _text(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    assert part is not None
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


@pytest.mark.parametrize("hidden", [[], ["8BITMIME", "SMTPUTF8"]], ids=["8BITMIME", "7bit"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_bodies_arrive_unchanged(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
    body: str,
    hidden: list[str],
) -> None:
    """Every text comes through, and the octets are those that were rendered, all of them ASCII."""
    server = start(hidden_extensions=hidden)
    message = make_message(text=body, html=f"<pre>{body}</pre>", subject="Größe 🎉")
    receipt = submit(server, message)
    (mail,) = server.mails
    expected = "\r\n".join(body.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    assert mail.octets == bytes(render_mime(message))
    assert mail.octets.isascii()
    assert _text(mail.message, "plain").rstrip("\r\n") == expected.rstrip("\r\n")
    assert _text(mail.message, "html").rstrip("\r\n") == f"<pre>{expected}</pre>"
    assert mail.message["Subject"] == "Größe 🎉"
    assert receipt.size == len(mail.octets)


def test_a_large_attachment_arrives_octet_for_octet(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """Five megabytes of anything come through unchanged."""
    server = start()
    data = random.Random(7).randbytes(5_000_000)  # noqa: S311  # reproducible, not secret
    submit(server, make_message(attachments=[("dump.bin", data)]))
    (attachment,) = server.mails[0].message.iter_attachments()
    assert attachment.get_content() == data
    assert attachment.get_filename() == "dump.bin"


@pytest.mark.parametrize(
    "hidden", [[], ["SMTPUTF8"], ["8BITMIME"]], ids=["both", "no utf8", "7bit"]
)
def test_an_address_in_other_letters(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
    hidden: list[str],
) -> None:
    """It needs SMTPUTF8 and 8BITMIME; without them nothing is submitted, and the error says why."""
    server = start(hidden_extensions=hidden)
    message = make_message("jürgen@exämple.org")
    if hidden:
        with pytest.raises(UnsupportedFeature, match="does not offer SMTPUTF8"):
            submit(server, message)
        assert server.mails == []
        return
    submit(server, message)
    (mail,) = server.mails
    assert mail.forward_paths == ("jürgen@xn--exmple-cua.org",)
    assert {"SMTPUTF8", "BODY=8BITMIME"} <= set(mail.mail_options)
    assert "jürgen@" in mail.octets.decode()


@pytest.mark.parametrize("hidden", [["SMTPUTF8"], ["8BITMIME"]], ids=["no utf8", "7bit"])
@pytest.mark.parametrize(
    "recipients",
    [
        {"to": "ann@example.org, jürgen@example.org"},
        {"to": "jürgen@example.org", "cc": "ann@example.org"},
        {"to": "jürgen@example.org", "bcc": "ann@example.org"},
        {"to": "ann@example.org", "bcc": "jürgen@example.org"},
    ],
    ids=str,
)
def test_one_address_in_other_letters_is_refused_alone(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
    recipients: dict[str, str],
    hidden: list[str],
) -> None:
    """The others get the mail, whose headers name only those whom such a server can read of."""
    server = start(hidden_extensions=hidden)
    receipt = submit(server, make_message(**recipients))
    (mail,) = server.mails
    assert mail.forward_paths == ("ann@example.org",)
    assert mail.octets.isascii()
    assert "does not offer SMTPUTF8" in receipt.all_refused["jürgen@example.org"].text
    assert len(receipt.accepted) + receipt.bcc_accepted == 1


def test_a_domain_in_other_letters_needs_nothing(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """An internationalised domain travels as A-labels, which every server takes."""
    server = start(hidden_extensions=["SMTPUTF8", "8BITMIME"])
    submit(server, make_message("ann@exämple.org"))
    assert [mail.forward_paths for mail in server.mails] == [("ann@xn--exmple-cua.org",)]


def test_the_size_is_announced(
    start: Callable[..., MailServer], submit: Callable[..., Receipt]
) -> None:
    """Where the server knows SIZE, MAIL says how many octets follow, exactly."""
    server = start()
    receipt = submit(server)
    (mail,) = server.mails
    assert mail.mail_options == (f"SIZE={len(mail.octets)}",)
    assert receipt.size == len(mail.octets)


def test_no_size_where_it_is_not_offered(
    start: Callable[..., MailServer], submit: Callable[..., Receipt]
) -> None:
    """A server without SIZE gets no parameter it does not know."""
    server = start(hidden_extensions=["SIZE"])
    submit(server)
    assert [mail.mail_options for mail in server.mails] == [()]


def test_a_message_over_the_limit_is_not_begun(
    start: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    make_message: Callable[..., Message],
) -> None:
    """What is larger than the server takes is an error that names both sizes, before MAIL."""
    server = start(size_limit=10_000)
    message = make_message(attachments=[("dump.bin", bytes(20_000))])
    with pytest.raises(MessageTooLarge, match=r"^attachments: the message has 2\d,\d{3} .* 10,000"):
        submit(server, message)
    assert server.mails == []


@pytest.mark.parametrize(
    ("blocks", "stuffed"),
    [
        ([b"a\r\n.b\r\n"], b"a\r\n..b\r\n"),
        ([b".\r\n"], b"..\r\n"),
        ([b"a\r\n", b".b\r\n"], b"a\r\n..b\r\n"),
        ([b"a", b".b\r\n"], b"a.b\r\n"),
        ([b"a\r\n", b"", b".b\r\n"], b"a\r\n..b\r\n"),
        ([b"", b".\r\n"], b"..\r\n"),
        ([b"a.\r\n..\r\n"], b"a.\r\n...\r\n"),
    ],
)
def test_dots_are_doubled_across_blocks(blocks: list[bytes], stuffed: bytes) -> None:
    """A dot that begins a line is doubled wherever the blocks are cut, and no other is."""
    assert b"".join(stuff_dots(blocks)) == stuffed
