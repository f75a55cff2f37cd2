"""Whatever a mail holds, the dialogue is the one that its addresses ask for, and no other.

The examples are the same in every run. To look for new ones, let hypothesis make many::

    pytest tests/transports/smtp/test_properties.py --hypothesis-profile=search
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.mail.mime.render import render_mime
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp import Security, SmtpConfig, SmtpTransport
from prefect_smtp_relay.transports.smtp.session.wire import stuff_dots
from tests.mail.strategies import BODIES, MAILS

from .recording_server import RecordingServer

OPS = Mailbox("ops", "example.com", "Ops")
_OF_THE_SESSION = {b"EHLO", b"RSET", b"NOOP", b"QUIT"}
_OFFERS = {
    "nothing": (),
    "step by step": ("SIZE 33554432", "8BITMIME", "SMTPUTF8"),
    "pipelining": ("SIZE 33554432", "8BITMIME", "SMTPUTF8", "PIPELINING"),
}
# Each test has one server for all of its examples, and nothing that a new example should reset.
_one_server = settings(suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=_OFFERS)
def recorder(request: pytest.FixtureRequest) -> Iterator[RecordingServer]:
    """A server that notes each command."""
    with RecordingServer(*_OFFERS[request.param]) as server:
        yield server


@pytest.fixture(scope="module")
def aiosmtpd() -> Iterator[MailServer]:
    """A server of another make."""
    with MailServer() as server:
        yield server


def deliver(port: int, message: Message) -> Envelope:
    """Submit a message in plain text."""
    config = SmtpConfig("127.0.0.1", port, Security.PLAIN_TEXT, timeout_seconds=5.0)
    envelope = Envelope.of(message)
    SmtpTransport(config).deliver(message, envelope)
    return envelope


def as_taken(
    message: Message, envelope: Envelope, extensions: tuple[str, ...]
) -> tuple[Message, Envelope]:
    """Leave out whom a server without SMTPUTF8 cannot take, in the headers too."""
    if "SMTPUTF8" in extensions:
        return message, envelope
    to, cc, paths = (
        tuple(mailbox for mailbox in mailboxes if not mailbox.needs_smtputf8)
        for mailboxes in (message.to, message.cc, envelope.forward_paths)
    )
    return replace(message, to=to, cc=cc), replace(envelope, forward_paths=paths)


def dialogue(message: Message, envelope: Envelope, extensions: tuple[str, ...]) -> list[bytes]:
    """Return the commands of RFC 5321, section 4.1.1, that this mail takes."""
    mail = f"MAIL FROM:<{envelope.reverse_path.address}>"
    if extensions:
        mail += f" SIZE={render_mime(message).size}"
    if message.needs_smtputf8 or envelope.needs_smtputf8:
        mail += " BODY=8BITMIME SMTPUTF8"
    paths = [f"RCPT TO:<{path.address}>" for path in envelope.forward_paths]
    return [f"{line}\r\n".encode() for line in (mail, *paths, "DATA")]


@_one_server
@given(MAILS)
def test_no_mail_adds_a_command(recorder: RecordingServer, arguments: dict[str, Any]) -> None:
    """The server hears MAIL, each RCPT once, DATA and the mail's octets, or no MAIL at all."""
    recorder.forget()
    expected: list[bytes] = []
    try:
        draft = compose(**arguments)
        message = draft.from_mailbox(draft.requested_from or OPS)
        envelope = deliver(recorder.port, message)
    except MessageError:
        assert recorder.bodies == []
    else:
        message, envelope = as_taken(message, envelope, recorder.extensions)
        expected = dialogue(message, envelope, recorder.extensions)
        (stuffed,) = recorder.bodies
        assert re.sub(rb"(?m)^\.", b"", stuffed) == bytes(render_mime(message))
    assert [line for line in recorder.commands if line[:4] not in _OF_THE_SESSION] == expected


@_one_server
@given(BODIES, BODIES, st.binary(max_size=300))
def test_any_body_is_stored_as_it_was_rendered(
    aiosmtpd: MailServer, text: str, html: str, data: bytes
) -> None:
    """Another server's unstuffing of dots gives back the octets that were rendered."""
    parts: dict[str, Any] = {"text": text, "html": html, "attachments": [("a", data)]}
    message = compose("ann@example.org", ".", headers={".": "."}, **parts).from_mailbox(OPS)
    deliver(aiosmtpd.port, message)
    assert aiosmtpd.mails[-1].octets == bytes(render_mime(message))


@given(st.lists(st.text(".\r\nx", max_size=9).map(lambda t: re.sub("\r\n|\r|\n", "\r\n", t))))
def test_dots_are_doubled_over_the_seams_of_blocks(blocks: list[str]) -> None:
    """However the octets are cut into blocks, each dot that begins a line is doubled."""
    octets = "".join(blocks).encode()
    stuffed = b"".join(stuff_dots(block.encode() for block in blocks))
    assert stuffed == re.sub(rb"(?m)^\.", b"..", octets)
