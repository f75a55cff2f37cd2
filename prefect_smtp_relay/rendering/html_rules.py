"""What is written otherwise than markdown-it-py does: buttons, links, and tables of data."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from prefect_smtp_relay.rendering.buttons import BUTTON_TITLE, ROW
from prefect_smtp_relay.rendering.plain_inline import button_label, display_width
from prefect_smtp_relay.rendering.theme import fill

_MIN_WIDTH, _MAX_WIDTH = 96, 500


def add_rules(parser: MarkdownIt) -> None:
    """Teach a parser's renderer what mail needs."""
    parser.add_render_rule(ROW, _button_row)
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("th_open", _th_open)
    parser.add_render_rule("td_open", _td_open)
    parser.add_render_rule("fence", _code)
    parser.add_render_rule("code_block", _code)


def _button_row(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    buttons = "".join(
        fill(
            "button",
            href=str(button.attrs["href"]),
            label=(label := button_label(SyntaxTreeNode([button]).children[0])),
            content=Markup(  # noqa: S704 - the renderer escapes what is text
                renderer.renderInline(button.children or [], options, env)
            )
            or label,
            width=_width_in_outlook(label),
        )
        for button in tokens[at].children or []
    )
    direction = tokens[at].attrs.get("dir")
    opening = f'<div class="buttons" dir="{direction}">' if direction else '<div class="buttons">'
    return f"{opening}{buttons}</div>\n"


def _width_in_outlook(label: str) -> int:
    """Pixels of a button that cannot measure its own text."""
    return min(max(9 * display_width(label) + 44, _MIN_WIDTH), _MAX_WIDTH)


def _link_open(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    link = tokens[at]
    if link.attrs.get("title") == BUTTON_TITLE:
        link = link.copy(attrs={"href": link.attrs["href"]})
    return renderer.renderToken([link], 0, options, env)


def _table_open(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    table = tokens[at]
    table.attrSet("class", "data records" if table.meta.get("records") else "data")
    return renderer.renderToken(tokens, at, options, env)


def _th_open(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    tokens[at].attrs.setdefault("scope", "col")
    return renderer.renderToken(tokens, at, options, env)


def _td_open(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    """A cell, with the name of its column where the row becomes a record on a phone."""
    opening = renderer.renderToken(tokens, at, options, env)
    label = tokens[at].meta.get("label")
    return f'{opening}<span class="label">{escape(label)} </span>' if label else opening


def _code(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    """Code in a block; the direction is that of the block, too, and an error shows as one."""
    token = tokens[at]
    written = RendererHTML.fence if token.type == "fence" else RendererHTML.code_block
    html = written(renderer, tokens, at, options, env)
    direction = ' dir="ltr"' if "dir" in token.attrs else ""
    kind = ' class="error"' if token.info.strip() == "error" else ""
    return html.replace("<pre>", f"<pre{direction}{kind}>", 1)
