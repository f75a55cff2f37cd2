"""What the renderer wrote comes back as the same message."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.exceptions import EmailError, MessageError
from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.mail.mime.parse import read_message
from prefect_smtp_relay.mail.mime.render import render_mime

ANN = Mailbox("ann", "example.org", "Ann")

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]))
LONG_LINE = st.builds(lambda word, times: word * times, LINE, st.integers(1, 60))
NAME = LONG_LINE.map(str.strip)
LOCAL_PART = st.sampled_from(["ann", "a.b+c", '"a, b"', '"q\\"x"', "j\u00f6rg", "\u7528\u6237"])
DOMAIN = st.sampled_from(["example.org", "xn--bcher-kva.example", "[192.0.2.1]", "[IPv6:::1]"])
MAILBOX = st.builds(Mailbox, LOCAL_PART, DOMAIN, NAME)
MAILBOXES = st.lists(MAILBOX, max_size=4, unique_by=lambda m: m.address).map(tuple)
FILE_NAME = st.one_of(LONG_LINE, st.text("\"\\; '=a%", max_size=30)).filter(bool)
MEDIA_TYPE = st.sampled_from(
    [
        *("", "text/plain", "Application/PDF", "message/rfc822", "multipart/mixed", "image/png"),
        *("text/csv; charset=latin-1", 'a/b; x="q; y"; Z=1', "text/calendar; method=CANCEL"),
    ]
)
FILES = st.lists(
    st.builds(
        Attachment, st.binary(max_size=200), FILE_NAME, MEDIA_TYPE, st.sampled_from(["", "logo@1"])
    ),
    max_size=3,
).map(tuple)
FIELD_NAME = st.from_regex(r"X-[!-9;-~]{1,40}", fullmatch=True)
FREE_HEADERS = st.lists(
    st.tuples(FIELD_NAME, LONG_LINE.map(str.strip)),
    max_size=4,
    unique_by=lambda field: field[0].lower(),
).map(tuple)
DATE = st.builds(
    lambda moment, minutes: moment.replace(
        microsecond=0, tzinfo=timezone(timedelta(minutes=minutes))
    ),
    st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)),
    st.integers(-720, 840),
)
MESSAGE = st.builds(
    Message,
    from_=MAILBOX,
    sender=st.none() | MAILBOX,
    reply_to=MAILBOXES,
    to=MAILBOXES,
    cc=MAILBOXES,
    bcc=MAILBOXES,
    subject=LONG_LINE,
    date=DATE,
    message_id=st.just("<one@example.org>"),
    headers=FREE_HEADERS,
    text=ANY_TEXT.map(lambda text: text.replace("\r", "")),
    html=ANY_TEXT.map(lambda text: text.replace("\r", "")),
    flowed=st.booleans(),
    attachments=FILES,
    inline_images=FILES,
)


def _message(**values: Any) -> Message:
    draft = {"to": "bob@example.net", "subject": "Disk full", "text": "plain", "html": "<p>x</p>"}
    return compose(**{**draft, **values}).from_mailbox(ANN, seed="test")


@given(MESSAGE)
def test_a_message_survives_rendering_and_reading(message: Message) -> None:
    """Reading gives back every value of the message, and rendering that gives the same bytes.

    Invitations come first: they are among the renderings of the body.
    """
    in_order = sorted(message.attachments, key=lambda file: not file.is_invitation)
    message = replace(message, attachments=tuple(in_order))
    octets = bytes(render_mime(message))
    read = read_message(octets, message.bcc)
    if message.html or message.attachments or message.inline_images:
        assert read == message  # a text alone ends in a line end
    assert bytes(render_mime(read)) == octets


@given(ANY_TEXT, ANY_TEXT, st.booleans())
def test_every_body_keeps_its_octets(text: str, html: str, flowed: bool) -> None:
    """Whatever line ends a body has, storing and reading it changes nothing on the wire."""
    octets = bytes(render_mime(_message(text=text, html=html, flowed=flowed)))
    assert bytes(render_mime(read_message(octets))) == octets


def test_a_file_longer_than_one_chunk_comes_back() -> None:
    """An attachment of many chunks is read back byte for byte."""
    data = bytes(range(256)) * 1024
    read = read_message(bytes(render_mime(_message(attachments=[("big.bin", data)]))))
    assert read.attachments[0].source == data


def test_no_visible_recipient_comes_back_as_none() -> None:
    """The placeholder of a message with Bcc recipients only is no recipient."""
    message = _message(to="", bcc="eve@example.net")
    read = read_message(bytes(render_mime(message)), message.bcc)
    assert (read.to, read.bcc) == ((), message.bcc)


def test_no_field_of_the_message_itself_becomes_a_free_header() -> None:
    """A message without free headers has none after reading, but those that can be left out."""
    message = _message(
        headers={"Sender": "ops@example.org", "Auto-Submitted": ""}, reply_to="help@example.org"
    )
    assert read_message(bytes(render_mime(message))).headers == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"From:", b"X-From:"),
        (b"Date:", b"X-Date:"),
        (b"ann@example.org", b"ann"),
        (b"multipart/alternative", b"multipart/mixed"),
        (b"multipart/alternative", b"text/plain"),
        (b"plain\r\n", b"pl\xff\r\n"),
        (b"b2N0ZXRz", b"b2N0ZXR"),
        (b"text/plain; charset=us-ascii", b"message/rfc822"),
    ],
)
def test_what_the_renderer_never_writes_is_refused(old: bytes, new: bytes) -> None:
    """A damaged message is an error of ours, not one of the parser."""
    message = _message(attachments=[("a.bin", b"octets")])
    octets = bytes(render_mime(message)).replace(old, new)
    with pytest.raises(MessageError, match="cannot be read back"):
        read_message(octets)


def test_a_truncated_message_is_refused() -> None:
    """Whatever is cut off at the end, half a message is never taken for a whole one."""
    octets = bytes(render_mime(_message(attachments=[("a.bin", b"octets" * 20)])))
    for length in range(len(octets) - len("\r\n")):
        with pytest.raises(MessageError):
            read_message(octets[:length])


@given(st.binary())
def test_any_octets_are_a_message_or_an_error_of_ours(octets: bytes) -> None:
    """Nothing but an EmailError leaves the reader."""
    with pytest.raises(EmailError):
        read_message(octets)
