"""What a template may consist of, how it is made to count its work, and which line ends it has."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.visitor import NodeTransformer

from prefect_smtp_relay.exceptions import InvalidTemplate
from prefect_smtp_relay.templating.filters import FILTERS, MARKING

CONCATENATE, PACED, BUILT = "~", "for", "[]"
"""Filters that are written around the template's own nodes; no template can name them."""

_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.FilterBlock: "filter",
    nodes.CallBlock: "call",
    nodes.Scope: "autoescape",
}
_TAG = r"\{%(?:(?!%\}|\{%).)*%\}|\{\#(?:(?!\#\}|\{\#).)*\#\}"
_RAW = r"\{%[-+]?\s*raw\b(?:(?!\{%[-+]?\s*(?:end)?raw\b).)*\{%[-+]?\s*endraw\b"
_END_OF_LINE = re.compile(
    rf"{_RAW}|^[ \t]*(?P<alone>(?:(?:{_TAG})[ \t]*)+)$|(?P<last>{_TAG})$", re.MULTILINE | re.DOTALL
)


class ArrangeLines(Extension):
    """A line with nothing but tags leaves no line: a loop around rows makes one table.

    Jinja's ``trim_blocks`` drops the line end after every tag; where other text is on the line,
    it is told to keep it.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Mark the line ends to keep; none is added or removed, errors have the author's lines."""
        del name, filename
        return _END_OF_LINE.sub(_keep_or_drop, source.replace("\r\n", "\n"))


def _keep_or_drop(found: re.Match[str]) -> str:
    if alone := found["alone"]:
        return alone.rstrip(" \t")
    tag = found["last"]
    is_open = tag and tag[-3] not in "-+"
    return f"{tag[:-2]}+{tag[-2:]}" if is_open else found.group()


class Instrument(NodeTransformer):
    """Refuses what is not offered, and lets the rest count."""

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        """Refuse what reaches out of the template, or writes past `Sandbox`'s finalizing."""
        if tag := _REFUSED.get(type(node)):
            _refuse(node, f"{{% {tag} %}} is not offered in mails", "Write it without.")
        return super().generic_visit(node, *args, **kwargs)

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:  # noqa: N802  # Jinja's naming
        """Count the template's own text, too: a loop may write it very often."""
        return nodes.MarkSafe(nodes.Const(node.data), lineno=node.lineno)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  # as above
        """Count each round of a loop."""
        self.generic_visit(node)
        node.iter = _filtered(node.iter, PACED)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:  # noqa: N802  # as above
        """Count what a slice copies: Jinja compiles it past `Sandbox.getitem`."""
        self.generic_visit(node)
        return _filtered(node, BUILT) if isinstance(node.arg, nodes.Slice) else node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802  # as above
        """Count what ``~`` builds."""
        self.generic_visit(node)
        first, *others = node.nodes
        return _filtered(first, CONCATENATE, *others)

    def visit_Literal(self, node: nodes.Expr) -> nodes.Expr:  # noqa: N802  # as above
        """Count lists in lists."""
        self.generic_visit(node)
        is_read = getattr(node, "ctx", "load") == "load"
        return _filtered(node, BUILT) if is_read else node

    visit_List = visit_Tuple = visit_Dict = visit_Literal  # noqa: N815  # as above

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:  # noqa: N802  # as above
        """Refuse a filter over a block: what it puts in would count as the template's own."""
        if node.filter is not None:
            _refuse(node, "a filter after {% set %} is not offered", "Filter the values.")
        return self.generic_visit(node)

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802  # as above
        """Say of an unknown filter what to do."""
        if node.name in MARKING:
            fix = f"Remove | {node.name}."
            _refuse(node, "values are escaped for their place already", fix)
        if node.name not in FILTERS:
            fix = f"There are: {', '.join(FILTERS)}."
            _refuse(node, f"there is no filter {node.name!r}", fix)
        return self.generic_visit(node)


def _filtered(node: Any, name: str, *others: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(others), [], None, None, lineno=node.lineno)


def _refuse(node: nodes.Node, problem: str, fix: str) -> NoReturn:
    line = node.lineno or next(node.iter_child_nodes()).lineno  # a scope has none
    raise InvalidTemplate(problem, fix, field=f"line {line}")
