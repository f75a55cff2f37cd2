"""Mails of all kinds as files to look at: ``python -m demo.gallery OUT``.

They are what the tests of the look show to Chromium, Thunderbird and SpamAssassin.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from demo.own_mails import own_mails
from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.compose.origin import Origin
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.transports.recording import Preview

_TO = "Zoë Ångström <zoe@stakeholders.example>"
_FROM = Mailbox("oncall", "acme.example", "Acme on-call")
_MAILS = Path(__file__).with_name("gallery.json")
_HOOKS = {
    "failure": ("the hook **email_on_failure** of the flow", "Failed"),
    "recovery": ("the hook **email_on_recovery** of the flow", "Recovered"),
    "flood": ("a hook of", "Failed"),
}
_BARS = (40, 44, 38, 52, 47, 120, 180, 176, 90, 51, 46, 43)


def gallery() -> Iterator[tuple[str, Preview]]:
    """Compose each mail, with its name."""
    for name, mail in {**own_mails(), **_others()}.items():
        yield name, _compose(mail, _origin(name))


def main() -> int:
    """Write the HTML part, the text part and the whole of each mail."""
    folder = Path(sys.argv[1] if sys.argv[1:] else "gallery")
    folder.mkdir(parents=True, exist_ok=True)
    for name, mail in gallery():
        folder.joinpath(f"{name}.html").write_text(mail.html, encoding="utf-8")
        folder.joinpath(f"{name}.txt").write_text(mail.text, encoding="utf-8")
        folder.joinpath(f"{name}.eml").write_bytes(mail.eml)
    print(f"{len(list(folder.glob('*.eml')))} mails are in {folder}.")
    return 0


def _origin(name: str) -> Origin:
    if name in _HOOKS:
        hook, state = _HOOKS[name]
        return Origin(f"{hook} **nightly-import**", "nightly-import", "prod", state)
    flow = name if name in {"digest", "reminder"} else "notify-team"
    flow = "incident-notification" if name.startswith("incident") else flow
    return Origin(f"the flow **{flow}** (deployment **prod**)", flow, "prod")


def _compose(mail: Mapping[str, Any], origin: Origin) -> Preview:
    options = {"to": _TO, **mail}
    settings = SmtpRelaySettings(language=options.pop("language", "en"))
    return Preview.of(draft(options, settings, origin).from_mailbox(_FROM))


def _others() -> dict[str, Mapping[str, Any]]:
    """Mails as callers write them."""
    written: dict[str, dict[str, Any]] = json.loads(_MAILS.read_text(encoding="utf-8"))
    for mail in written.values():
        if isinstance(mail["body"], list):
            mail["body"] = "\n".join(mail["body"])
    rows = "\n".join(f"| run-{n} | nightly | Failed | 02:{n:02} | {n} s |" for n in range(60))
    head = "| Run | Flow | State | At | Took |\n|---|---|---|---|--:|\n"
    images = {"chart": _png(1200, _BARS), "spark": _png(120, _BARS)}
    return {
        **written,
        "images": {**written["images"], "inline_images": images},
        "invitation": {**written["invitation"], "attachments": [_invitation()]},
        "long-table": {"subject": "60 runs", "body": f"# 60 runs\n\nOf the night.\n\n{head}{rows}"},
        "long-text": {"subject": "Minutes", "body": "# Minutes\n\n" + "Word by word. " * 6000},
    }


def _invitation() -> tuple[str, bytes, str]:
    lines = (
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Acme//EN", "METHOD:REQUEST"),
        *("BEGIN:VEVENT", "UID:inc-42@acme.example", "DTSTAMP:20260316T090000Z"),
        *("DTSTART:20260317T130000Z", "DTEND:20260317T140000Z", "SUMMARY:Review of INC-42"),
        *("ORGANIZER:mailto:oncall@acme.example", "ATTENDEE:mailto:zoe@stakeholders.example"),
        *("END:VEVENT", "END:VCALENDAR", ""),
    )
    return "review.ics", "\r\n".join(lines).encode(), "text/calendar; method=REQUEST"


def _png(width: int, bars: tuple[int, ...]) -> tuple[str, bytes]:
    """Draw a chart of bars."""
    height, step = 200 * width // 600, width // len(bars)
    pixels = bytearray()
    for y in range(height):
        pixels.append(0)
        for x in range(width):
            bar = bars[min(x // step, len(bars) - 1)] * width // 600
            is_bar = x % step > step // 5 and height - y < bar
            pixels += b"\x2f\x6b\xdc" if is_bar else b"\xff\xff\xff"
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(pixels))), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return "chart.png", b"\x89PNG\r\n\x1a\n" + body


if __name__ == "__main__":
    sys.exit(main())
