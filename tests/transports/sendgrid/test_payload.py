from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import AttachmentError, UnsupportedFeature
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.headers.advisory import thread_root
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, mint_message_id
from prefect_smtp_relay.transports.sendgrid.payload import encode_payload, render_payload

from .send_rules import violations

MakeMessage = Callable[..., Message]

ARGUMENTS = {"custom_args": {"message_id": "<id-1@example.com>"}}
PLAIN: dict[str, Any] = {
    "from": {"email": "ops@example.com"},
    "subject": "Disk full",
    "personalizations": [{"to": [{"email": "ann@example.org"}], **ARGUMENTS}],
    "content": [
        {"type": "text/plain", "value": "Text"},
        {"type": "text/html", "value": "<p>HTML</p>"},
    ],
    "headers": {
        "Message-ID": "<id-1@example.com>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    },
}


def _render(message: Message, **options: Any) -> dict[str, Any]:
    """Render a payload that SendGrid would take."""
    options = {"categories": (), "sandbox_mode": False, **options}
    payload = render_payload(message, Envelope.of(message), **options)
    assert violations(encode_payload(payload)) == []
    return payload


def test_a_plain_mail(make_message: MakeMessage) -> None:
    """The smallest mail has text before HTML, our Message-ID twice, and nothing empty."""
    assert _render(make_message()) == PLAIN


def test_text_that_flows_reads_well_without_saying_so(make_message: MakeMessage) -> None:
    """SendGrid takes the bare media type only: the text has its lines, and no spaces put in."""
    text = "A paragraph \nof two lines\n\n    code\nFrom here"
    content = _render(make_message(text=text, flowed=True))["content"]
    assert content[0] == {"type": "text/plain", "value": text}


def test_a_mail_with_everything(make_message: MakeMessage) -> None:
    """Every part of a message has its place, and every list keeps its order."""
    message = make_message(
        "Ann <ann@example.org>, bob@example.org",
        cc="Cleo <cleo@example.org>",
        bcc="dan@example.org",
        from_="On Call <ops@example.com>",
        reply_to="Desk <desk@example.com>, ops@example.com",
        headers={"X-Incident": "INC-42", "References": "<root@example.com>"},
        attachments=[("log.txt", b"line"), ("plan.pdf", b"%PDF")],
        inline_images={"logo": b"\x89PNG\r\n\x1a\n"},
        categories="payments, night",
    )
    assert _render(message, categories=("incident", "night"), sandbox_mode=True) == {
        **PLAIN,
        "from": {"email": "ops@example.com", "name": "On Call"},
        "reply_to_list": [
            {"email": "desk@example.com", "name": "Desk"},
            {"email": "ops@example.com"},
        ],
        "personalizations": [
            {
                "to": [{"email": "ann@example.org", "name": "Ann"}, {"email": "bob@example.org"}],
                "cc": [{"email": "cleo@example.org", "name": "Cleo"}],
                "bcc": [{"email": "dan@example.org"}],
                **ARGUMENTS,
            }
        ],
        "headers": {
            **PLAIN["headers"],
            "X-Incident": "INC-42",
            "References": "<root@example.com>",
        },
        "attachments": [
            _file(b"line", "text/plain", "log.txt", "attachment"),
            _file(b"%PDF", "application/pdf", "plan.pdf", "attachment"),
            {
                **_file(b"\x89PNG\r\n\x1a\n", "image/png", "logo.png", "inline"),
                "content_id": "logo",
            },
        ],
        "categories": ["incident", "night", "payments"],
        "mail_settings": {"sandbox_mode": {"enable": True}},
    }


def test_the_headers_of_arguments_go_to_sendgrid_as_over_smtp(make_message: MakeMessage) -> None:
    """Thread, importance and unsubscribing are whole header values, each in one line."""
    url = f"https://example.org/{'x' * 200}"
    message = make_message(thread="INC-42", importance="high", list_unsubscribe=[url, "a@b.org"])
    headers = _render(message)["headers"]
    assert {"In-Reply-To", "References"} < set(headers)
    assert (
        headers.items()
        >= {
            "Importance": "high",
            "Priority": "urgent",
            "X-Priority": "1",
            "List-Unsubscribe": f"<{url}>, <mailto:a@b.org>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }.items()
    )


def _file(data: bytes, media_type: str, name: str, disposition: str) -> dict[str, str]:
    return {
        "content": b64encode(data).decode(),
        "type": media_type,
        "filename": name,
        "disposition": disposition,
    }


def test_a_thread(make_message: MakeMessage) -> None:
    """In-Reply-To and References name the root of the thread, as over SMTP."""
    root = thread_root("INC-42", "example.com")
    headers = {**PLAIN["headers"], "In-Reply-To": root, "References": root}
    assert _render(make_message(thread="INC-42")) == {**PLAIN, "headers": headers}


def test_custom_arguments_stay_small(make_message: MakeMessage) -> None:
    """With the longest domain, our Message-ID is far from the 10,000 bytes that SendGrid takes."""
    domain = ".".join(["x" * 61] * 4 + ["org"])
    message = replace(make_message(), message_id=mint_message_id(domain))
    assert len(json.dumps(_render(message)["personalizations"][0]["custom_args"])) < 400


def test_headers_keep_their_order(make_message: MakeMessage) -> None:
    """Header fields and categories are in the caller's order."""
    message = make_message(headers={"Auto-Submitted": "no", "X-B": "1", "X-A": "2", "X-C": "3"})
    payload = _render(message, categories=("z", "a"))
    assert list(payload["headers"]) == ["Message-ID", "Auto-Submitted", "X-B", "X-A", "X-C"]
    assert payload["categories"] == ["z", "a"]


def test_one_reply_to(make_message: MakeMessage) -> None:
    """One address, however often and in whatever case it is named, is ``reply_to``."""
    message = make_message(reply_to="Desk <desk@example.com>, Desk@example.com")
    expected = {**PLAIN, "reply_to": {"email": "desk@example.com", "name": "Desk"}}
    assert _render(message) == expected


@pytest.mark.parametrize(
    "address", ['"a, b"@example.org', '"Ann <x>"@example.org', "ann@[192.0.2.1]", "o'h+x@é.example"]
)
def test_an_address_without_a_name_is_not_parsed_again(
    make_message: MakeMessage, address: str
) -> None:
    """The library's parser of display names never sees an address."""
    mailbox = Mailbox.parse(address)
    message = replace(make_message(), to=(mailbox,), from_=mailbox, reply_to=(mailbox,))
    written = {"email": mailbox.address}
    assert _render(message) == {
        **PLAIN,
        "from": written,
        "reply_to": written,
        "personalizations": [{"to": [written], **ARGUMENTS}],
    }


def test_names_that_sendgrid_would_split(make_message: MakeMessage) -> None:
    """A recipient's name with a comma or semicolon is quoted, the sender's is not."""
    message = make_message(
        ['"Doe, Ann" <ann@example.org>', '"B; \\"Bo\\"" <bo@example.org>', "Zoë <z@example.org>"],
        from_='"Ops, Night" <ops@example.com>',
    )
    assert _render(message) == {
        **PLAIN,
        "from": {"email": "ops@example.com", "name": "Ops, Night"},
        "personalizations": [
            {
                "to": [
                    {"email": "ann@example.org", "name": '"Doe, Ann"'},
                    {"email": "bo@example.org", "name": '"B; \\"Bo\\""'},
                    {"email": "z@example.org", "name": "Zoë"},
                ],
                **ARGUMENTS,
            }
        ],
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Grüße", "=?utf-8?b?R3LDvMOfZQ==?="),
        ("=?utf-8?q?raw?=", "=?utf-8?b?PT91dGYtOD9xP3Jhdz89?="),
        ("<a@x> " * 30 + "<b@x>", "<a@x> " * 30 + "<b@x>"),
        ("", ""),
    ],
)
def test_free_headers_are_one_line_of_ascii(
    make_message: MakeMessage, value: str, written: str
) -> None:
    """A free header arrives as over SMTP, but unfolded."""
    payload = _render(make_message(headers={"X-Note": value}))
    assert payload == {**PLAIN, "headers": {**payload["headers"], "X-Note": written}}


def test_a_long_header_is_not_folded(make_message: MakeMessage) -> None:
    """Many encoded words are in one line with spaces between them."""
    value = _render(make_message(headers={"X-Note": "ü" * 200}))["headers"]["X-Note"]
    assert value.isascii()
    assert "\n" not in value
    assert "?= =?" in value


@pytest.mark.parametrize(
    ("part", "left"), [("text", [PLAIN["content"][1]]), ("html", [PLAIN["content"][0]])]
)
def test_an_empty_part_is_left_out(
    make_message: MakeMessage, part: str, left: list[dict[str, str]]
) -> None:
    """SendGrid refuses empty content, so only the other part is there."""
    assert _render(make_message(**{part: ""})) == {**PLAIN, "content": left}


def test_a_sender_equal_to_from_needs_no_field(make_message: MakeMessage) -> None:
    """A Sender that repeats From says nothing (RFC 5322, section 3.6.2)."""
    assert _render(make_message(headers={"Sender": "Ops <OPS@example.com>"})) == PLAIN


def test_text_that_starts_with_an_api_key(make_message: MakeMessage) -> None:
    """The library's own check becomes our error, without the key."""
    with pytest.raises(UnsupportedFeature, match="text/plain part starts with a") as caught:
        _render(make_message(text="SG.abc.def is the key"))
    assert "SG.abc" not in str(caught.value)


def test_a_file_that_vanished(make_message: MakeMessage, tmp_path: Path) -> None:
    """A file that is gone when it is read is an `AttachmentError`."""
    path = tmp_path / "log.txt"
    path.write_text("line")
    message = make_message(attachments=[path])
    path.unlink()
    with pytest.raises(AttachmentError, match=r"cannot read .*log\.txt"):
        _render(message)


def test_a_file_is_read_in_blocks_without_a_seam(make_message: MakeMessage, tmp_path: Path) -> None:
    """A file of several blocks is one base64 text."""
    path = tmp_path / "big.bin"
    path.write_bytes(bytes(range(256)) * 1000)
    content = _render(make_message(attachments=[path]))["attachments"][0]["content"]
    assert content == b64encode(path.read_bytes()).decode()


def test_the_json_is_compact_utf_8(make_message: MakeMessage) -> None:
    """Text is written as UTF-8, not as escapes, and reads back the same."""
    payload = _render(make_message(subject="Größe", text="線"))
    body = encode_payload(payload)
    assert "Größe".encode() in body
    assert b": " not in body
    assert json.loads(body) == payload


def test_rendering_changes_nothing(make_message: MakeMessage) -> None:
    """The same message renders to the same payload every time."""
    message = make_message(cc="bob@example.org", headers={"X-A": "1"})
    assert _render(message, categories=("a",)) == _render(message, categories=("a",))


@pytest.mark.parametrize(
    ("media_type", "written"),
    [
        ("text/calendar; method=REQUEST", "text/calendar; method=REQUEST"),
        ("text/calendar; charset=UTF-8; method=CANCEL", "text/calendar; method=CANCEL"),
        ('text/calendar; method="REPLY"', "text/calendar; method=REPLY"),
    ],
)
def test_an_invitation_is_a_content(
    make_message: MakeMessage, media_type: str, written: str
) -> None:
    """It comes after text and HTML with its method, and is not a file too."""
    calendar = "BEGIN:VCALENDAR\r\nSUMMARY:Größe\r\nEND:VCALENDAR\r\n"
    files = [("invite.ics", calendar.encode(), media_type), ("log.txt", b"line")]
    payload = _render(make_message(attachments=files))
    assert payload["content"] == [*PLAIN["content"], {"type": written, "value": calendar}]
    assert [file["filename"] for file in payload["attachments"]] == ["log.txt"]


def test_an_invitation_that_is_not_utf8(make_message: MakeMessage) -> None:
    """SendGrid takes a content as text, and would not know in which letters it is."""
    message = make_message(attachments=[("i.ics", b"\xe4", "text/calendar; method=REQUEST")])
    with pytest.raises(UnsupportedFeature, match=r"invitation 'i\.ics' is not in UTF-8"):
        render_payload(message, Envelope.of(message), categories=(), sandbox_mode=False)


@pytest.mark.parametrize(
    "media_type", ["text/csv; charset=utf-8; header=present", "application/pdf; version=1.7"]
)
def test_a_file_goes_without_parameters(make_message: MakeMessage, media_type: str) -> None:
    """SendGrid refuses a semicolon in a file's media type."""
    (file,) = _render(make_message(attachments=[("a", b"x", media_type)]))["attachments"]
    assert file["type"] == media_type.partition(";")[0]
