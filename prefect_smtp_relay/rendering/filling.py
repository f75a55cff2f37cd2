"""Parsed Markdown with its values filled in, so that each shows as it was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from markdown_it.token import Token

from prefect_smtp_relay.rendering.links import is_safe_link, normalize_link
from prefect_smtp_relay.rendering.values import PLACEHOLDER, Values

_DROPPED = frozenset({"paragraph_open", "heading_open"})
_SHOWING_NOTHING = frozenset(
    {
        *("softbreak", "hardbreak", "em_open", "em_close", "strong_open", "strong_close"),
        *("s_open", "s_close"),
    }
)
_LINE_END = re.compile(r"\r\n|[\r\n\u2028\u2029]")


def _fill_link(url: str, values: Values) -> str:
    """Put values into a link's target.

    One that starts with a value goes where that value says; any other value is a part of the path
    or the query, and percent-encoded.
    """
    start = PLACEHOLDER.match(url)
    head = values.text_of(start.group()).strip() if start else ""
    rest = PLACEHOLDER.sub(
        lambda found: quote(values.text_of(found.group()), safe="/", errors="replace"),
        url[start.end() :] if start else url,
    )
    return normalize_link(head + rest)


def fill_in(tokens: Sequence[Token], values: Values) -> list[Token]:
    """Fill values into parsed Markdown, so that each shows as it was typed.

    Args:
        tokens: of markdown-it-py; they are changed.
        values: by their placeholders.

    Returns:
        The tokens, without paragraphs and headings in which nothing is left to show.
    """
    for token in tokens:
        if token.children is not None:
            token.children = list(_fill_line(token.children, values))
        else:
            token.content = values.fill(token.content)
            token.info = values.fill(token.info)
    empty = {at for at, token in enumerate(tokens[1:], 1) if _is_empty(tokens[at - 1], token)}
    return [token for at, token in enumerate(tokens) if not empty & {at - 1, at, at + 1}]


def _is_empty(opening: Token, token: Token) -> bool:
    """Whether a token is all that is in a paragraph or heading, and shows nothing."""
    is_line = token.children is not None and opening.type in _DROPPED
    return is_line and all(map(_shows_nothing, token.children or []))


def _shows_nothing(token: Token) -> bool:
    return token.type in _SHOWING_NOTHING or (token.type == "text" and not token.content.strip())


def _fill_line(children: Sequence[Token], values: Values) -> Iterator[Token]:
    refused: list[str | None] = []
    for token in children:
        if token.type == "text":
            yield from _lines(token, values.fill(token.content))
        elif token.type == "link_open":
            yield from _open_link(token, _fill_attributes(token, values), refused)
        elif token.type == "link_close":
            if (target := refused.pop()) is None:
                yield token
            elif target:
                yield _text(f"]({target})", token.level)
        elif token.type == "image":
            yield _image(token, values)
        else:
            token.content = _LINE_END.sub(" ", values.fill(token.content))
            if token.content or token.type != "code_inline":
                yield token


def _open_link(token: Token, is_safe: bool, refused: list[str | None]) -> Iterator[Token]:
    """Show a link that its value made unsafe as it was typed, and note where it goes.

    One that leads nowhere, as its value is empty, is its text.
    """
    target = str(token.attrs["href"])
    if target and is_safe:
        refused.append(None)
        yield token
        return
    refused.append(target)
    if target:
        yield _text("[", token.level)


def _image(token: Token, values: Values) -> Token:
    is_safe = _fill_attributes(token, values)
    source, alt = str(token.attrs["src"]), values.fill(token.content)
    if not source:
        return _text(alt, token.level)
    if not is_safe:
        return _text(f"![{alt}]({source})", token.level)
    token.content = alt
    token.children = list(_fill_line(token.children or [], values))
    return token


def _fill_attributes(token: Token, values: Values) -> bool:
    """Fill in a link or an image.

    Returns:
        Whether its target is safe. A value is never an inline image: the mail may not have it.
    """
    name = "src" if token.type == "image" else "href"
    written = str(token.attrs[name])
    token.attrs = {key: values.fill(str(value)) for key, value in token.attrs.items()}
    if not PLACEHOLDER.search(written):
        return True
    target = token.attrs[name] = _fill_link(written, values)
    is_inline = target.lower().startswith("cid:") and PLACEHOLDER.match(written)
    return is_safe_link(target) and not is_inline


def _lines(token: Token, text: str) -> Iterator[Token]:
    """A value's line ends show as line ends."""
    for number, line in enumerate(_LINE_END.split(text)):
        if number:
            yield Token("hardbreak", "br", 0, level=token.level)
        if line:
            yield _text(line, token.level)


def _text(content: str, level: int) -> Token:
    return Token("text", "", 0, content=content, level=level)
