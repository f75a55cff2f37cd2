"""Content-Type and Content-Disposition of a file, with its name (RFC 2045, 2183, 2231)."""

from __future__ import annotations

from urllib.parse import quote as percent_encode

from prefect_smtp_relay.mail.address_syntax import quote
from prefect_smtp_relay.mail.headers.fields import MAX_WORD_LENGTH, PLAIN_WORDS, encoded_words

_MAX_PIECE_LENGTH = 50


def content_type(media_type: str, file_name: str) -> str:
    """Write a file's media type; a name beyond ASCII as old Outlooks read it, in encoded words."""
    name = _quoted(file_name) or '"' + encoded_words(file_name, length=60) + '"'
    return f"Content-Type: {media_type};\r\n name={name}"


def content_disposition(disposition: str, file_name: str) -> str:
    """Write where a file is shown; a name beyond ASCII in the standard's own form (RFC 2231)."""
    quoted = _quoted(file_name)
    names = [f"filename={quoted}"] if quoted else _continuations("filename", file_name)
    return f"Content-Disposition: {disposition};\r\n " + ";\r\n ".join(names)


def _quoted(text: str) -> str:
    """Write what every program reads as it is: many know no continuation of a plain name."""
    is_plain = PLAIN_WORDS.fullmatch(text) and "=?" not in text
    return quote(text) if is_plain and len(quote(text)) <= MAX_WORD_LENGTH else ""


def _continuations(parameter: str, text: str) -> list[str]:
    """RFC 2231, sections 3 and 4, cut between characters: readers decode piece by piece."""
    pieces = [""]
    for character in (percent_encode(c, safe="", encoding="utf-8") for c in text):
        if len(pieces[-1]) + len(character) > _MAX_PIECE_LENGTH:
            pieces.append("")
        pieces[-1] += character
    if len(pieces) == 1:
        return [f"{parameter}*=utf-8''{pieces[0]}"]
    pieces[0] = f"utf-8''{pieces[0]}"
    return [f"{parameter}*{number}*={piece}" for number, piece in enumerate(pieces)]
