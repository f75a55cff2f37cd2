"""Markdown tokens as plain text for people: what a careful writer of text mail would type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from prefect_smtp_relay.rendering.markdown import CONTROL_CHARACTERS
from prefect_smtp_relay.rendering.plain_inline import (
    button_text,
    display_width,
    inline_text,
    wrap,
)
from prefect_smtp_relay.rendering.plain_table import table_lines

LINE_WIDTH = 72
"""Columns of wrapped text; leaves room for a few levels of quoting (RFC 3676, section 4.2)."""

_UNDERLINES = {"h1": "=", "h2": "-"}
_TEXT = frozenset({"text", "softbreak"})
_CODE_INDENT = " " * 4
_FLOWS_ON = "\0"
"""Ends a line that goes on in the next one; Markdown's text never contains it (CommonMark, 2.3)."""


def to_plain_text(tokens: Sequence[Token]) -> str:
    """Write tokens as plain text.

    Args:
        tokens: from `prefect_smtp_relay.rendering.markdown.parse`.

    Returns:
        Lines of about `LINE_WIDTH` columns, without a final line end. A line that ends in a space
        goes on in the next one (RFC 3676, section 4): those of paragraphs, also within quotes.
        Code and long words such as URLs are never broken.
    """
    tree = SyntaxTreeNode([_joined(token) for token in tokens])
    lines = "\n".join(_stack(tree.children, LINE_WIDTH)).split("\n")
    return "\n".join(map(_finished, lines)).lstrip("\n").rstrip()


def _joined(token: Token) -> Token:
    """Join the lines of text without markup into one: each node of a tree is slow to make."""
    children = token.children
    if not children or any(child.type not in _TEXT for child in children):
        return token
    text = "".join(child.content if child.type == "text" else " " for child in children)
    return token.copy(children=[Token("text", "", 0, content=text)])


def _finished(line: str) -> str:
    text = CONTROL_CHARACTERS.sub("", line).rstrip()
    # A line of "-- " would be read as the separator of a signature (RFC 3676, section 4.3).
    return f"{text} " if line.endswith(_FLOWS_ON) and text.lstrip("> ") not in {"", "--"} else text


def _stack(nodes: Iterable[SyntaxTreeNode], width: int, gap: bool = True) -> list[str]:
    """Write blocks under one another, with an empty line between them unless told otherwise."""
    lines: list[str] = []
    for node in nodes:
        block = _BLOCKS[node.type](node, width)
        if node.type != "blockquote":
            # Only the lines of quotes begin with their mark (RFC 3676, section 4.4).
            block = [f" {line}" if line.startswith(">") else line for line in block]
        if block and lines and gap:
            lines.append("")
        lines += block
    return lines


def _paragraph(node: SyntaxTreeNode, width: int) -> list[str]:
    """Lines that flow on, but for those that the author has ended."""
    lines: list[str] = []
    for written in inline_text(node).split("\n"):
        *others, last = wrap(written, width) or [""]
        lines += [*(f"{line}{_FLOWS_ON}" for line in others), last]
    return lines if any(lines) else []


def _heading(node: SyntaxTreeNode, width: int) -> list[str]:
    lines = wrap(inline_text(node), width)
    underline = _UNDERLINES.get(node.tag, "") * max(map(display_width, lines), default=0)
    return [*lines, underline] if underline else lines


def _code(node: SyntaxTreeNode, _width: int) -> list[str]:
    content = node.content.removesuffix("\n")
    return [_CODE_INDENT + line for line in content.split("\n")] if content.strip() else []


def _quote(node: SyntaxTreeNode, width: int) -> list[str]:
    """Marks without spaces between them, as RFC 3676, section 4.5, counts the levels."""
    lines = _stack(node.children, width - 2)
    return [f">{line}" if line.startswith(">") else f"> {line}" for line in lines]


def _list(node: SyntaxTreeNode, width: int) -> list[str]:
    markers = _markers(node)
    indent = " " * max(map(len, markers))
    is_loose = any(
        block.type == "paragraph" and not block.hidden
        for item in node.children
        for block in item.children
    )
    lines: list[str] = []
    for marker, item in zip(markers, node.children, strict=True):
        if lines and is_loose:
            lines.append("")
        first, *others = _stack(item.children, width - len(indent), gap=is_loose) or [""]
        lines.append(marker.ljust(len(indent)) + first)
        lines += [indent + line for line in others]
    # Joined to a whole, the indent would be in the middle of the text.
    return [line.removesuffix(_FLOWS_ON) for line in lines]


def _markers(node: SyntaxTreeNode) -> list[str]:
    if node.type == "bullet_list":
        return ["- " for _ in node.children]
    start = int(node.attrs.get("start", 1))
    return [f"{number}{node.markup} " for number, _ in enumerate(node.children, start)]


def _buttons(node: SyntaxTreeNode, width: int) -> list[str]:
    return [line for button in node.children for line in wrap(button_text(button), width)]


def _rule(_node: SyntaxTreeNode, width: int) -> list[str]:
    return ["-" * max(width, 3)]


_BLOCKS: dict[str, Callable[[SyntaxTreeNode, int], list[str]]] = {
    "paragraph": _paragraph,
    "button_row": _buttons,
    "heading": _heading,
    "fence": _code,
    "code_block": _code,
    "blockquote": _quote,
    "bullet_list": _list,
    "ordered_list": _list,
    "table": table_lines,
    "hr": _rule,
}
