"""Which targets a link may have, and the web addresses that are links as they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from markdown_it.common.normalize_url import normalizeLink
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from prefect_smtp_relay.rendering.values import ANY_PLACEHOLDER, PLACEHOLDER

_TARGET = re.compile(r"(?:https?|mailto|tel|cid):.", re.IGNORECASE)
_BARE = re.compile(
    rf"(?<![\w@/.+-])https?://(?=[\w\[{ANY_PLACEHOLDER}])"
    rf"[\w{ANY_PLACEHOLDER}\-.~:/?#\[\]@!$&'()*+,;=%{{}}^]+",
    re.IGNORECASE,
)
_CLOSING = {")": "(", "]": "[", "}": "{"}


def is_safe_link(url: str) -> bool:
    """Whether a link names a known scheme: a mail has no address that others are relative to.

    An allow list, because the readers' programs differ in what they execute: ``javascript:``,
    ``data:``, ``vbscript:`` and ``file:`` are not all of it. What is not a link is shown as typed.
    """
    return bool(_TARGET.match(url.strip()))


def is_link(url: str) -> bool:
    """Whether a target is safe, or starts with a value and is judged once that is filled in."""
    return bool(PLACEHOLDER.match(url)) or is_safe_link(url)


def normalize_link(url: str) -> str:
    """Leave a target with a value in it for later: its host may be one."""
    return url if PLACEHOLDER.search(url) else str(normalizeLink(url))


def link_bare_urls(state: StateCore) -> None:
    """Make links of the http(s) URLs in the text, as GitHub does; not within links and code."""
    for token in state.tokens:
        if token.children and "://" in token.content:
            token.children = list(_linked(token.children))


def _linked(children: Sequence[Token]) -> Iterator[Token]:
    depth = 0
    for token in children:
        depth += token.nesting * token.type.startswith("link_")
        if token.type == "text" and not depth and "://" in token.content:
            yield from _parts(token)
        else:
            yield token


def _parts(token: Token) -> Iterator[Token]:
    end = 0
    for found in _BARE.finditer(token.content):
        url = _without_punctuation(found.group())
        yield token.copy(content=token.content[end : found.start()])
        yield Token(*("link_open", "a", 1), attrs={"href": normalize_link(url)}, level=token.level)
        yield token.copy(content=url, level=token.level + 1)
        yield Token("link_close", "a", -1, level=token.level)
        end = found.start() + len(url)
    yield token.copy(content=token.content[end:])


def _without_punctuation(url: str) -> str:
    """Leave out what ends the sentence, and a bracket that was opened before the URL."""
    end = len(url)
    unopened = Counter({sign: url.count(sign) - url.count(_CLOSING[sign]) for sign in _CLOSING})
    while (last := url[end - 1]) in ".,:;!?'*" or unopened[last] > 0:
        unopened[last] -= 1
        end -= 1
    return url[:end]
