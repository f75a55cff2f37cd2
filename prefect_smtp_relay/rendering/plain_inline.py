"""Plain text of what is within a line: links with their targets, images as their alt text."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import unquote

from markdown_it.tree import SyntaxTreeNode
from rich.cells import cell_len

_MIN_WIDTH = 24
_TO_SPACES = dict.fromkeys(map(ord, "\t\x0b\x0c\r"), " ")


def inline_text(node: SyntaxTreeNode) -> str:
    """Write an inline node and what is in it.

    Args:
        node: a node below a paragraph, a heading or a table cell.

    Returns:
        Its text, with a line end only where the author wrote a hard break.
    """
    kind = node.type
    if kind == "text":
        return node.content
    if kind == "softbreak":
        return " "
    if kind == "hardbreak":
        return "\n"
    if kind == "code_inline":
        return f"`{node.content}`"
    if kind == "image":
        alt = _alt_text(node).strip()
        return f"[{alt}]" if alt else ""
    content = "".join(inline_text(child) for child in node.children)
    if kind == "link":
        target = str(node.attrs["href"])
        # An autolink shows its own target, with the domain as A-labels.
        return _link("" if node.markup == "autolink" else content, target)
    # Dropping the mark would turn "~~down~~ up" into its contrary.
    return f"~~{content}~~" if kind == "s" and content else content


def _alt_text(node: SyntaxTreeNode) -> str:
    if node.children:
        return "".join(_alt_text(child) for child in node.children)
    return node.content or " " * node.type.endswith("break")


def _link(content: str, href: str, pattern: str = "{} ({})") -> str:
    """``text (https://...)``; the target alone where the text says no more than it does."""
    target = href.removeprefix("mailto:")
    says_more = content.strip() and unquote(content) not in {unquote(target), unquote(href)}
    return pattern.format(content, target) if says_more and target else target or content


def button_label(button: SyntaxTreeNode) -> str:
    """The text of a button in one line; its target where it has none."""
    text = "".join(inline_text(child) for child in button.children)
    return " ".join(text.split()) or str(button.attrs["href"])


def button_text(button: SyntaxTreeNode) -> str:
    """``View incident: https://...``."""
    return _link(button_label(button), str(button.attrs["href"]), "{}: {}")


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Wrap a text at spaces, keeping its line ends and long words such as URLs whole.

    Args:
        text: one or more lines.
        width: columns of a line; there is a minimum in deep nesting.
        indent: goes before every line but the first.
    """
    width = max(width, _MIN_WIDTH)
    lines: list[str] = []
    for written in text.split("\n"):
        line = written.strip().translate(_TO_SPACES)
        if first := _fitting(width).match(line):
            later = _fitting(width - len(indent)).findall(line, first.end())
            lines += [first[0], *(indent + piece for piece in later)]
    return lines


@cache
def _fitting(width: int) -> re.Pattern[str]:
    """Match as many words as fit into a line, or one that is longer.

    `textwrap` does the same, at a fifth of the cost of a whole mail.
    """
    return re.compile(rf"[^ ](?:.{{0,{max(width - 2, 0)}}}[^ ])?(?= |$)|[^ ]+", re.DOTALL)


def display_width(text: str) -> int:
    """Columns of a text in a fixed-width font; an emoji of several code points counts once."""
    return len(text) if text.isascii() else cell_len(text)
