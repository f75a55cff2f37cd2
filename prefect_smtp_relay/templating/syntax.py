"""What a template may consist of, and how it is made to count its own work."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.visitor import NodeTransformer

from prefect_smtp_relay.templating.filters import CONCATENATE, OFFERED, PACE
from prefect_smtp_relay.templating.walking import WALK

_STATEMENTS = (
    *(nodes.Template, nodes.Output, nodes.For, nodes.If, nodes.Assign, nodes.AssignBlock),
    *(nodes.Macro, nodes.With),
)
_TAGS: dict[type[nodes.Node], str] = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.FilterBlock: "filter",
    nodes.CallBlock: "call",
    nodes.Scope: "autoescape",
}
_MARKING = frozenset({"safe", "e", "escape", "forceescape", "urlize", "xmlattr"})


class Instrument(NodeTransformer):
    """Refuses what is not offered, and lets the rest count."""

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        """Permit the statements that are listed."""
        if isinstance(node, nodes.Stmt) and not isinstance(node, _STATEMENTS):
            tag = _TAGS.get(type(node), type(node).__name__.lower())
            _refuse(node, f"{{% {tag} %}} is not offered in mails.")
        return super().generic_visit(node, *args, **kwargs)

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:  # noqa: N802 - the visitor's naming
        """Count the template's own text, too: a loop may write it very often."""
        return nodes.MarkSafe(nodes.Const(node.data), lineno=node.lineno)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the visitor's naming
        """Count each round of a loop."""
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, PACE, [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - the visitor's naming
        """Count what ``~`` builds."""
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(parts, CONCATENATE, [], [], None, None, lineno=node.lineno)

    def visit_Operand(self, node: nodes.Operand) -> nodes.Node:  # noqa: N802 - the visitor's naming
        """Have both sides of a comparison walked through."""
        self.generic_visit(node)
        node.expr = _walked(node.expr)
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802 - the visitor's naming
        """Have both sides of a comparison walked through."""
        self.generic_visit(node)
        node.expr = _walked(node.expr)
        return node

    def visit_Pair(self, node: nodes.Pair) -> nodes.Node:  # noqa: N802 - the visitor's naming
        """Have the key of a mapping walked through: it is hashed."""
        self.generic_visit(node)
        node.key = _walked(node.key)
        return node

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:  # noqa: N802 - as above
        """Refuse a filter over a block: what it puts in would count as the template's own."""
        if node.filter is not None:
            _refuse(node, "a filter behind {% set %} is not offered; filter the values.")
        return self.generic_visit(node)

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802 - the visitor's naming
        """Say of an unknown filter what to do."""
        if node.name in _MARKING:
            _refuse(node, f"values are escaped for their place already; take | {node.name} out.")
        if node.name not in OFFERED:
            _refuse(node, f"there is no filter {node.name!r}. There are: {', '.join(OFFERED)}.")
        return self.generic_visit(node)


def _walked(node: nodes.Expr) -> nodes.Expr:
    return nodes.Filter(node, WALK, [], [], None, None, lineno=node.lineno)


def _refuse(node: nodes.Node, text: str) -> None:
    line = node.lineno or next(node.iter_child_nodes()).lineno  # a scope has none
    raise TemplateSyntaxError(text, line)
