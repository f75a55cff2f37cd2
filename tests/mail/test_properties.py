"""Whatever a caller passes arrives as it is, or is refused: nothing is changed, nothing added.

The examples are the same in every run. To look for new ones, let hypothesis make many::

    pytest tests/mail/test_properties.py --hypothesis-profile=search
"""

from __future__ import annotations

import re
from email import message_from_string
from email.errors import NonASCIILocalPartDefect
from email.message import EmailMessage
from email.policy import SMTPUTF8
from typing import Any

from hypothesis import event, given

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.mail.encoded_words import decode_words
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.mail.mime.parse import read_message
from prefect_smtp_relay.mail.mime.render import render_mime
from tests.mail.strategies import ADDRESSES, ANY_TEXT, GOOD_MAILS, LINE, MAILS, quoted

OPS = Mailbox("ops", "example.com", "Ops")
_IMPORTANCE = ["Importance", "Priority", "X-Priority"]
_NEVER_ON_THE_WIRE = re.compile(rb"\x00|\r(?!\n)|(?<!\r)\n|[^\r\n]{999}")


def composed(arguments: dict[str, Any]) -> Message | None:
    """Compose a mail of these arguments, or refuse them with an error of ours."""
    try:
        draft = compose(**arguments)
    except MessageError as error:
        event(f"refused: {type(error).__name__}")
        return None
    event("accepted")
    return draft.from_mailbox(draft.requested_from or OPS, seed="fixed")


def parsed(octets: bytes) -> EmailMessage:
    """Parse a mail as the standard library does; no part of it may have a defect."""
    message = message_from_string(octets.decode(), policy=SMTPUTF8)
    for part in message.walk():
        assert not part.defects, part.defects
        for name, value in part.items():
            defects = {type(defect) for defect in value.defects}
            assert defects <= {NonASCIILocalPartDefect} or (
                name == "Content-Type" and is_legacy(value)
            ), (name, value, value.defects)
    return message


def is_legacy(value: Any) -> bool:
    """Whether the defects are those of a file name that old Outlooks read."""
    return all("encoded" in str(defect) for defect in value.defects)


def header_names(arguments: dict[str, Any], message: Message) -> list[str]:
    """Return the names that the caller asked for, and those that every mail has."""
    free = arguments.get("headers", {})
    senders = [name for name in free if name.lower() == "sender"]
    asked = [
        *(["Sender"] if senders else []),
        *(["Reply-To"] if message.reply_to else []),
        *(["To"] if message.to or not message.cc else []),
        *(["Cc"] if message.cc else []),
        *(name for name in free if name not in senders),
        *(["In-Reply-To", "References"] if arguments.get("thread") else []),
        *(_IMPORTANCE if arguments.get("importance", "normal") != "normal" else []),
    ]
    ours = ["From", "Subject", "Date", "Message-ID", "MIME-Version"]
    ours += ["Auto-Submitted", "X-Auto-Response-Suppress", "Content-Type"]
    if not arguments["html"] and not message.inline_images and not message.attachments:
        ours.append("Content-Transfer-Encoding")
    return sorted([*asked, *ours])


def shown(header: Any) -> list[tuple[str, str, str]]:
    """Return the mailboxes of a header, as the standard library reads them."""
    return [(without_spaces(a.display_name), a.username, a.domain) for a in header.addresses]


def unquoted(local_part: str) -> str:
    """Return the content of a quoted-string, or what needs no quotes."""
    is_quoted = local_part.startswith('"')
    return re.sub(r"\\(.)", r"\1", local_part[1:-1]) if is_quoted else local_part


def expected(mailboxes: tuple[Mailbox, ...]) -> list[tuple[str, str, str]]:
    """Return what `shown` should return."""
    return [(without_spaces(m.display_name), unquoted(m.local_part), m.domain) for m in mailboxes]


def without_spaces(name: str) -> str:
    """Return a name without what the standard library's parser sets or changes in it.

    It sets a blank between two encoded words, and takes other blanks behind a blank for one.
    """
    return "".join(name.split())


def canonical(text: str) -> bytes:
    """Return a body with the line ends of RFC 2046, section 4.1.1."""
    return re.sub("\r\n|\r|\n", "\r\n", text).encode()


@given(GOOD_MAILS)
def test_odd_text_is_no_reason_to_refuse(arguments: dict[str, Any]) -> None:
    """Only what cannot stand in a mail is refused, however odd the rest may look."""
    compose(**arguments)


@given(MAILS)
def test_no_argument_adds_a_header(arguments: dict[str, Any]) -> None:
    """The headers of a mail and of each part are the ones that were asked for, no more, no less."""
    if not (message := composed(arguments)):
        return
    root = parsed(bytes(render_mime(message)))
    assert sorted(root.keys()) == header_names(arguments, message)
    for part in [part for part in root.walk() if part is not root]:
        names = ["Content-Type"]
        if not part.is_multipart():
            names.append("Content-Transfer-Encoding")
        if part.get_content_disposition():
            names.append("Content-Disposition")
        if part.get_content_disposition() == "inline":
            names.append("Content-ID")
        assert sorted(part.keys()) == sorted(names)


@given(MAILS)
def test_every_line_is_safe_on_the_wire(arguments: dict[str, Any]) -> None:
    """Lines have 998 octets at most and end in CRLF; only an address of RFC 6531 is not ASCII."""
    if not (message := composed(arguments)):
        return
    octets = bytes(render_mime(message))
    assert not _NEVER_ON_THE_WIRE.search(octets)
    assert octets.isascii() or message.needs_smtputf8
    header, _, body = octets.partition(b"\r\n\r\n")
    assert body.isascii()
    assert len(octets) == render_mime(message).size
    for field in re.split(rb"\r\n(?![ \t])", header):
        is_address = field.startswith((b"From:", b"Sender:", b"Reply-To:", b"To:", b"Cc:"))
        assert field.isascii() or is_address
        assert all(line.strip() for line in field.split(b"\r\n"))


@given(MAILS)
def test_every_value_arrives(arguments: dict[str, Any]) -> None:
    """What was accepted is read back equal: texts, mailboxes, files and their names."""
    if not (message := composed(arguments)):
        return
    root = parsed(bytes(render_mime(message)))
    assert root["Subject"] == arguments["subject"]
    for name, value in arguments.get("headers", {}).items():
        if name.lower() != "sender":
            # A long name leaves no room in its line: then a fold's blank stands before the value.
            assert root[name].lstrip(" ") == value.strip(" \t")
    for name in ("Reply-To", "To", "Cc"):
        values = getattr(message, name.lower().replace("-", "_"))
        assert shown(root[name]) == expected(values) if values else name == "To" or not root[name]
    assert shown(root["From"]) == expected((message.from_,))
    assert not message.sender or shown(root["Sender"]) == expected((message.sender,))
    leaves = [part for part in root.walk() if not part.is_multipart()]
    data = [part.get_payload(decode=True) for part in leaves]
    bodies = [canonical(arguments["text"])]
    bodies += [canonical(arguments["html"])] if arguments["html"] else []
    if len(leaves) == 1 and not bodies[0].endswith(b"\r\n"):
        bodies[0] += b"\r\n" if data[0] != bodies[0] else b""  # a text alone ends in a line end
    assert data[: len(bodies)] == bodies
    images = arguments.get("inline_images", {})
    files = [*images.values(), *arguments.get("attachments", [])]
    assert data[len(bodies) :] == [file[1] for file in files]
    for part, (name, *_) in zip(leaves[len(bodies) :], files, strict=True):
        assert part.get_param("filename", header="Content-Disposition") == name
        assert without_spaces(str(part.get_param("name"))) == without_spaces(name)
    content_ids = [str(part["Content-ID"]) for part in leaves[len(bodies) :] if part["Content-ID"]]
    assert content_ids == [f"<{content_id}>" for content_id in images]


@given(MAILS)
def test_every_mail_is_read_back_by_ourselves(arguments: dict[str, Any]) -> None:
    """The outbox reads every mail that was accepted, and writes the same octets again."""
    if message := composed(arguments):
        octets = bytes(render_mime(message))
        assert bytes(render_mime(read_message(octets, message.bcc))) == octets


@given(MAILS)
def test_the_envelope_is_what_the_caller_named(arguments: dict[str, Any]) -> None:
    """Each recipient once, in lines that fit a command of RFC 5321, section 4.5.3.1.4."""
    if not (message := composed(arguments)):
        return
    envelope = Envelope.of(message)
    paths = [mailbox.address for mailbox in envelope.forward_paths]
    named = [Mailbox.parse_list(arguments.get(name), name) for name in ("to", "cc", "bcc")]
    assert sorted(paths) == sorted({m.address for m in sum(named, ())})
    assert envelope.reverse_path == (message.sender or message.from_)
    for path in [*paths, envelope.reverse_path.address]:
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", path)
        assert len(f"RCPT TO:<{path}>\r\n".encode()) <= 512


@given(ADDRESSES)
def test_any_address_is_one_mailbox_or_refused(address: str) -> None:
    """An address that is accepted is one path, and never ends it before its end."""
    try:
        mailbox = Mailbox.parse(address)
    except MessageError:
        return
    outside_quotes = re.sub(r'"(?:[^"\\]|\\.)*"', "", mailbox.address)
    assert not re.search(
        r"[\s<>,;:\"\\\x00-\x1f]", re.sub(r"\[[0-9A-Za-z:.]+\]$", "", outside_quotes)
    )
    assert mailbox.domain.isascii()
    assert Mailbox.parse(mailbox.address) == Mailbox(mailbox.local_part, mailbox.domain)


@given(LINE)
def test_any_display_name_arrives(name: str) -> None:
    """A display name in quotes is read as readers do, with single spaces between its words."""
    mailbox = Mailbox.parse(f"{quoted(name)} <ann@example.org>")
    assert mailbox.display_name == re.sub(" +", " ", decode_words(name)).strip(" ")


@given(ANY_TEXT, ANY_TEXT)
def test_a_thread_is_its_text(thread: str, other: str) -> None:
    """Two mails name one root exactly if the text of their thread is the same."""
    messages = [
        composed({"to": "a@b.org", "subject": "", "text": "", "html": "", "thread": key})
        for key in (thread, other)
    ]
    roots = [dict(message.headers).get("References") for message in messages if message]
    if len(roots) == 2:
        assert (roots[0] == roots[1]) == (thread == other)
