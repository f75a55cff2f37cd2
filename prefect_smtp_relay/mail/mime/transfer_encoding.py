"""Content-Transfer-Encodings: every part is safe for a relay without 8BITMIME (RFC 2045)."""

from __future__ import annotations

import re
import struct
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Iterable, Iterator

from prefect_smtp_relay.mail.attachments.attachment import CHUNK, Attachment

_NOT_7BIT = re.compile(rb"[^\t\r\n -~]")
_FROM_OR_BOUNDARY = re.compile(rb"^(?:From |--=_)", re.MULTILINE)
_FROM = re.compile(rb"^From ", re.MULTILINE)
_MAX_QP_LINE_LENGTH = 76
_MAX_LINE_LENGTH = 990
_BASE64_LINE = 76
# Cut in one call: line by line takes longer than encoding does.
_LINES_OF_A_CHUNK = struct.Struct(f"{_BASE64_LINE}s" * (CHUNK // 57))


def encode_text(text: str) -> tuple[str, bytes]:
    """Choose the most readable encoding that brings a text through byte for byte.

    Args:
        text: any text; its line ends become CRLF.

    Returns:
        The Content-Transfer-Encoding and the encoded bytes.
    """
    data = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n").encode()
    if _is_safe_as_it_is(data):
        return "7bit", data
    quoted = quoted_printable(data)
    if len(quoted) <= base64_length(len(data)):
        return "quoted-printable", quoted
    return "base64", base64_lines(data)


def _is_safe_as_it_is(data: bytes) -> bool:
    if _NOT_7BIT.search(data) or _FROM_OR_BOUNDARY.search(data):
        return False
    return max(map(len, data.split(b"\r\n"))) <= _MAX_LINE_LENGTH


def quoted_printable(data: bytes) -> bytes:
    """Encode as RFC 2045, section 6.7; a line's leading "From " too, which mbox would change."""
    encoded = b2a_qp(data, istext=True)
    lines = re.split(rb"\r?\n", _FROM.sub(b"=46rom ", encoded))
    return b"\r\n".join(_short_lines(lines))


def _short_lines(lines: list[bytes]) -> Iterator[bytes]:
    """Cut what the "From " escape made too long, not inside an escape."""
    for line in lines:
        if len(line) > _MAX_QP_LINE_LENGTH:
            cut = _MAX_QP_LINE_LENGTH - 1
            while b"=" in line[cut - 2 : cut]:
                cut -= 1
            yield line[:cut] + b"="
            line = line[cut:]
        yield line


def base64_lines(chunk: bytes) -> bytes:
    """Encode a chunk as RFC 2045, section 6.8, with a line end after each line."""
    encoded = b64encode(chunk)
    lines: Iterable[bytes] = (
        _LINES_OF_A_CHUNK.unpack(encoded)
        if len(encoded) == _LINES_OF_A_CHUNK.size
        else (encoded[i : i + _BASE64_LINE] for i in range(0, len(encoded), _BASE64_LINE))
    )
    return b"\r\n".join([*lines, b""])


def base64_length(size: int) -> int:
    """How many bytes `base64_lines` makes of so many."""
    encoded = (size + 2) // 3 * 4
    return encoded + 2 * ((encoded + _BASE64_LINE - 1) // _BASE64_LINE)


def encode_attachment(attachment: Attachment) -> Iterator[bytes]:
    """Encode a file chunk by chunk: its bytes are never in memory as a whole."""
    return (base64_lines(chunk) for chunk in attachment.chunks())
