"""How large a body may be, and what becomes of it: told before it is parsed, or written.

The parser makes an object of each line and each mark; a link that is defined once can be written
ten thousand times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from markdown_it.token import Token

from prefect_smtp_relay.exceptions import MessageTooLarge
from prefect_smtp_relay.rendering.values import Values, size_of

_MAX_GROWTH = 5
"""Times as many bytes as a text may have, its HTML may have."""
_MAX_LINES = 60_000
_MARKS_PER_LINE = 4
_SHORT_BYTES = 20_000
_MARK = re.compile(r"[*_`\[\]!<>|~\\&]")
_TOKEN_BYTES, _BUTTON_BYTES = 16, 1_000
"""About what the tags of one take; a button repeats its link."""


def check_source(body: str, values: Values | None, max_bytes: int) -> bool:
    """Refuse a body that would take long to parse.

    Returns:
        Whether it may become very long: a short one cannot that defines no link.

    Raises:
        MessageTooLarge: it has too many bytes, lines or marks.
    """
    size = size_of(body) + (values.size(body) if values else 0)
    if size > max_bytes:
        raise _too_large(f"has {size:,} bytes, and {max_bytes:,} are allowed")
    lines = body.count("\n") + (values.lines if values else 0)
    marks = len(_MARK.findall(body)) // _MARKS_PER_LINE + body.count("://")
    if lines + marks > _MAX_LINES:
        raise _too_large(f"has {lines:,} lines, which with their Markdown are too many")
    return size > _SHORT_BYTES or "]:" in body


def check_tokens(tokens: Iterable[Token], values: Values | None, max_bytes: int) -> None:
    """Refuse what would become a very long page.

    Raises:
        MessageTooLarge: it would.
    """
    size = sum(_size(token, values) for token in tokens)
    if size > _MAX_GROWTH * max_bytes:
        problem = (
            f"becomes about {size:,} bytes of HTML, and {_MAX_GROWTH * max_bytes:,} are allowed"
        )
        raise _too_large(problem)


def _size(token: Token, values: Values | None) -> int:
    texts = [token.content, *(value for value in token.attrs.values() if isinstance(value, str))]
    size = _BUTTON_BYTES if token.attrs.get("title") == "btn" else _TOKEN_BYTES
    size += sum(len(text) + (values.size(text) if values else 0) for text in texts)
    return size + sum(_size(child, values) for child in token.children or ())


def _too_large(problem: str) -> MessageTooLarge:
    fix = "Write less, attach a file, or raise the setting `max_text_megabytes`."
    return MessageTooLarge(problem, fix, field="body")
