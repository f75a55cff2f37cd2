"""Markdown as a stream of tokens, and the tokens as an HTML fragment."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from prefect_smtp_relay.rendering.bounds import check_source, check_tokens
from prefect_smtp_relay.rendering.buttons import part_buttons
from prefect_smtp_relay.rendering.filling import fill_in
from prefect_smtp_relay.rendering.html_rules import add_rules
from prefect_smtp_relay.rendering.label_tables import label_rows
from prefect_smtp_relay.rendering.links import is_link, link_bare_urls, normalize_link
from prefect_smtp_relay.rendering.table_columns import lay_out_tables
from prefect_smtp_relay.rendering.values import MAX_TEXT_BYTES, Values

MAX_NESTING = 32
"""How deep quotes, lists and emphasis may be in one another; bounds the work and the recursion."""

CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What neither HTML (its section 13.1.1) nor a text/plain body (RFC 2046, 4.1.2) may contain."""


def _parser(*without: str) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING})
    parser.validateLink = is_link  # type: ignore[method-assign] # the documented way
    parser.normalizeLink = normalize_link  # type: ignore[method-assign] # the documented way
    parser.core.ruler.push("bare_urls", link_bare_urls)
    add_rules(parser)
    return parser.enable(["table", "strikethrough"]).disable(list(without))


_PARSER = _parser()
_FLAT_PARSER = _parser("blockquote", "list", "emphasis", "strikethrough")


def parse(body: str, values: Values | None = None, max_bytes: int = MAX_TEXT_BYTES) -> list[Token]:
    """Read Markdown.

    A body with quotes, lists or emphasis nested deeper than `MAX_NESTING` is read without them, so
    that they show as they were typed: the parser would leave their content out.

    Args:
        body: CommonMark with tables and strikethrough.
        values: what the placeholders in it represent, if it has any.
        max_bytes: of the body with its values.

    Returns:
        The tokens of markdown-it-py, with what `part_buttons` and `label_rows` make of them.

    Raises:
        MessageTooLarge: the body, or what becomes of it.
    """
    may_grow = check_source(body, values, max_bytes)
    tokens = _PARSER.parse(body)
    if any(map(_is_deep, tokens)):
        tokens = _FLAT_PARSER.parse(body)
    if may_grow:
        check_tokens(tokens, values, max_bytes)
    if values is not None:
        tokens = fill_in(tokens, values)
    tokens = label_rows(part_buttons(tokens))
    lay_out_tables(tokens)
    return tokens


def _is_deep(token: Token) -> bool:
    return token.level >= MAX_NESTING - 1 or any(map(_is_deep, token.children or ()))


def to_html(tokens: Sequence[Token]) -> str:
    """Write tokens as an HTML fragment in which no text of the author is markup."""
    html: str = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return CONTROL_CHARACTERS.sub("", html)
