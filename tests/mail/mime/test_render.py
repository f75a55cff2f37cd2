import re
import tracemalloc
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.exceptions import AttachmentError
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.render import render_mime

MakeMessage = Callable[..., Message]
Parse = Callable[[bytes], EmailMessage]

FILES = {"attachments": [("a.pdf", b"a" * 100), ("b.txt", b"")]}
IMAGES = {"inline_images": {"logo": ("logo.png", b"png")}}
INVITATION = ("invite.ics", b"BEGIN:VCALENDAR\r\n", 'text/calendar; method="REQUEST"')
TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\r\n =.-F"))
NAME = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).map(
    str.strip
)


def shape(part: EmailMessage) -> str | list[object]:
    """Return the media types of a message in their nesting."""
    kind = part.get_content_type()
    if not part.is_multipart():
        return kind
    return [kind, *(shape(child) for child in part.iter_parts())]  # type: ignore[arg-type] # typeshed has the base class


def body(message: EmailMessage, kind: str) -> str:
    """Return a body as the reader's program decodes it."""
    part = message.get_body((kind,))
    assert part is not None
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode(part.get_content_charset("ascii"))


ALTERNATIVE = ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ALTERNATIVE),
        ({"html": ""}, "text/plain"),
        ({"html": "", **FILES}, ["multipart/mixed", "text/plain", "application/pdf", "text/plain"]),
        ({"attachments": [INVITATION]}, [*ALTERNATIVE, "text/calendar"]),
        (
            {"html": "", "attachments": [INVITATION]},
            ["multipart/alternative", "text/plain", "text/calendar"],
        ),
        (
            {"attachments": [INVITATION, ("a.ics", b"", "text/calendar")]},
            ["multipart/mixed", [*ALTERNATIVE, "text/calendar"], "text/calendar"],
        ),
        (IMAGES, ["multipart/related", ALTERNATIVE, "image/png"]),
        (FILES, ["multipart/mixed", ALTERNATIVE, "application/pdf", "text/plain"]),
        (
            {**IMAGES, **FILES},
            [
                "multipart/mixed",
                ["multipart/related", ALTERNATIVE, "image/png"],
                "application/pdf",
                "text/plain",
            ],
        ),
    ],
)
def test_parts_are_nested_only_as_needed(
    make_message: MakeMessage,
    parse_strictly: Parse,
    given: dict[str, object],
    expected: list[object],
) -> None:
    """The alternative is alone, within related for images, within mixed for attachments."""
    parsed = parse_strictly(bytes(render_mime(make_message(**given))))
    assert shape(parsed) == expected
    if IMAGES["inline_images"].keys() <= given.get("inline_images", {}).keys():  # type: ignore[attr-defined] # a dict in every case above
        related = next(p for p in parsed.walk() if p.get_content_type() == "multipart/related")
        assert related["Content-Type"].params["type"] == "multipart/alternative"


def test_the_header_is_complete(make_message: MakeMessage, parse_strictly: Parse) -> None:
    """Every message has its date, its id, its MIME version, and says that a program wrote it."""
    message = make_message(
        to="Ann <ann@example.org>",
        cc="bob@example.org",
        reply_to="desk@example.org",
        subject="Incident",
        headers={"Sender": "bot@example.com", "X-Team": "on-call"},
    )
    parsed = parse_strictly(bytes(render_mime(message)))
    fields = {name: str(value) for name, value in parsed.items() if name != "Content-Type"}
    assert parsed["Date"].datetime == message.date
    assert fields == {
        "From": "Ops <ops@example.com>",
        "Sender": "bot@example.com",
        "Reply-To": "desk@example.org",
        "To": "Ann <ann@example.org>",
        "Cc": "bob@example.org",
        "Subject": "Incident",
        "Date": fields["Date"],
        "Message-ID": message.message_id,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "X-Team": "on-call",
        "MIME-Version": "1.0",
    }


def test_bcc_stands_nowhere(make_message: MakeMessage, parse_strictly: Parse) -> None:
    """Neither a Bcc field nor an address of one is in the octets."""
    octets = bytes(render_mime(make_message(bcc="Secret <secret@example.org>")))
    assert b"secret" not in octets.lower()
    assert b"\nbcc:" not in octets.lower()
    alone = bytes(render_mime(make_message(to=None, bcc="secret@example.org")))
    assert b"secret" not in alone
    assert parse_strictly(alone)["To"].groups[0].display_name == "undisclosed-recipients"


def test_smtputf8_addresses_are_the_only_8bit_octets(make_message: MakeMessage) -> None:
    """A local part beyond ASCII is written as RFC 6532 has it, all else stays 7-bit."""
    message = make_message(
        to="J\u00fcrgen <j\u00fcrgen@example.org>", subject="\u00fc", text="\u00fc"
    )
    octets = bytes(render_mime(message))
    beyond = [line for line in octets.split(b"\r\n") if not line.isascii()]
    assert beyond == ["To: =?utf-8?q?J=C3=BCrgen?= <j\u00fcrgen@example.org>".encode()]


@pytest.mark.parametrize(
    "text",
    [
        *("", "\n", "plain", "no end", "end\n", ".", "..\n.\n.x", "From a\nFrom b", ">From"),
        *("x" * 3000, "\u00fc" * 3000, "x" * 998, "--=_\n--", "blanks  \n\t\n", "a\r\nb\rc\nd"),
        *(
            "\u65e5\u672c\u8a9e\n" * 50,
            "\x00\x07\x1b[0m\x7f",
            "\ufeffbom",
            "\u2028\u2029\x85",
            "=3D=\n",
        ),
        *("x" * 70 + "=" * 10, "From " + "x" * 75, "From " + "\u00fc" * 40),
    ],
)
def test_bodies_come_back(make_message: MakeMessage, parse_strictly: Parse, text: str) -> None:
    """Dots, From at a line's start, long lines and 8-bit text come back as they were."""
    parsed = parse_strictly(bytes(render_mime(make_message(text=text, html=f"<p>{text}"))))
    expected = re.sub("\r\n|\r|\n", "\r\n", text)
    assert body(parsed, "plain") == expected
    assert body(parsed, "html") == f"<p>{expected}"


def test_no_body_can_end_its_part(make_message: MakeMessage, parse_strictly: Parse) -> None:
    """A body that holds the very boundary of its message is still one body."""
    octets = bytes(render_mime(make_message()))
    (boundary,) = set(re.findall(rb'boundary="([^"]+)"', octets))
    text = f"a\n--{boundary.decode()}--\nb"
    parsed = parse_strictly(bytes(render_mime(make_message(text=text))))
    assert shape(parsed) == ALTERNATIVE
    assert body(parsed, "plain") == text.replace("\n", "\r\n")


@given(TEXT, TEXT, NAME, NAME, st.binary(max_size=300))
def test_any_message_comes_back(
    make_message: MakeMessage,
    parse_strictly: Parse,
    text: str,
    html: str,
    subject: str,
    name: str,
    data: bytes,
) -> None:
    """Any text, subject, file name and octets are parsed back without a defect."""
    html = f"<p>{html}"
    message = make_message(
        text=text, html=html, subject=subject, attachments=[(name or "x", data)], **IMAGES
    )
    rendered = render_mime(message)
    octets = bytes(rendered)
    assert rendered.size == len(octets)
    assert octets.isascii()
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert re.fullmatch(rb"(?:[^\r\n]|\r\n)*", octets)
    parsed = parse_strictly(octets)
    assert parsed["Subject"] == subject
    assert body(parsed, "plain") == re.sub("\r\n|\r|\n", "\r\n", text)
    assert body(parsed, "html") == re.sub("\r\n|\r|\n", "\r\n", html)
    (file,) = parsed.iter_attachments()
    assert (file.get_filename(), file.get_payload(decode=True)) == (name or "x", data)


def test_an_inline_image_is_found_by_its_content_id(
    make_message: MakeMessage, parse_strictly: Parse
) -> None:
    """An image is inline, named, and has the content id that the HTML refers to."""
    parsed = parse_strictly(bytes(render_mime(make_message(**IMAGES))))
    image = next(part for part in parsed.walk() if part.get_content_type() == "image/png")
    assert str(image["Content-ID"]) == "<logo>"
    assert image.get_content_disposition() == "inline"
    assert (image.get_filename(), image.get_payload(decode=True)) == ("logo.png", b"png")


def test_a_message_is_rendered_the_same_every_time(make_message: MakeMessage) -> None:
    """A second try puts the same octets on the wire."""
    message = make_message(**FILES, **IMAGES)
    assert bytes(render_mime(message)) == bytes(render_mime(message))
    rendered = render_mime(message)
    assert bytes(rendered) == bytes(rendered)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 56, 57, 58, 58368, 58369, 200_001])
def test_the_size_is_known_before(make_message: MakeMessage, tmp_path: Path, size: int) -> None:
    """The size that MAIL declares is the number of octets, for files of every length."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * size)
    rendered = render_mime(make_message(attachments=[path]))
    assert rendered.size == len(bytes(rendered))


def test_attachments_are_streamed(make_message: MakeMessage, tmp_path: Path) -> None:
    """Rendering a file of eight megabytes takes less than one of memory."""
    path = tmp_path / "big.bin"
    path.write_bytes(b"\x00\x01\x02\x03" * 2_000_000)
    message = make_message(attachments=[path])
    tracemalloc.start()
    try:
        rendered = render_mime(message)
        written = sum(len(piece) for piece in rendered)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert written == rendered.size > 8_000_000
    assert peak < 1_000_000


def test_a_file_that_changed_is_an_error(make_message: MakeMessage, tmp_path: Path) -> None:
    """A file that grew or shrank since it was attached is never sent in a wrong size."""
    path = tmp_path / "log.txt"
    path.write_text("one\n")
    rendered = render_mime(make_message(attachments=[path]))
    path.write_text("one\ntwo\n")
    with pytest.raises(AttachmentError, match="Attach a file that nobody is writing"):
        bytes(rendered)


def test_an_attached_mail_arrives_as_it_is(
    make_message: MakeMessage, parse_strictly: Parse
) -> None:
    """A mail as a file, whose own type may not be base64, comes back byte by byte."""
    mail = b"Subject: x\r\n\r\nFrom here\r\n.\r\n"
    parsed = parse_strictly(bytes(render_mime(make_message(attachments=[("a.eml", mail)]))))
    (file,) = parsed.iter_attachments()
    assert (file.get_filename(), file.get_payload(decode=True)) == ("a.eml", mail)
