"""Nothing but `InvalidTemplate` comes of a template, whatever the author wrote."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.exceptions import EmailError, InvalidTemplate
from prefect_smtp_relay.rendering.render import render
from prefect_smtp_relay.templating.arguments import fill_arguments
from prefect_smtp_relay.templating.filters import FILTERS, TESTS

from .filling import fill

VALUES = {
    "text": "a*b <c>",
    "empty": "",
    "none": None,
    "number": -7,
    "ratio": 0.5,
    "nan": float("nan"),
    "price": Decimal("1.50"),
    "huge": Decimal("1E+999"),
    "when": datetime(2026, 3, 14, tzinfo=UTC),
    "span": timedelta(days=999_999_999),
    "items": ["b", 1, None, {"k": "v"}],
    "record": {"k": "v", "n": 1},
}
OPERANDS = st.sampled_from([*VALUES, "missing", "-5", "0", "10**9", "'abc'", "[1]", "{}", "(1, 2)"])


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """An expression with filters, operators, tests and methods, most of it senseless."""
    text = draw(OPERANDS)
    for _ in range(draw(st.integers(0, 3))):
        arguments = ", ".join(draw(st.lists(OPERANDS, max_size=3)))
        operand = draw(OPERANDS)
        text = draw(
            st.sampled_from(
                [
                    f"{text} | {draw(st.sampled_from(sorted(FILTERS)))}({arguments})",
                    f"({text} {draw(st.sampled_from(['+', '-', '*', '/', '//', '%', '**', '~']))}"
                    f" {operand})",
                    f"({text} is {draw(st.sampled_from(sorted(TESTS)))})",
                    f"({text} in {operand})",
                    f"{text}[{operand}]",
                    f"{text}[{operand}:]",
                    f"({text}).{draw(st.sampled_from(['format', 'items', 'split', 'strftime']))}"
                    f"({arguments})",
                    f"range({arguments})",
                ]
            )
        )
    return text


@given(st.lists(expressions() | st.text(max_size=8), max_size=3))
def test_no_template_raises_anything_else(parts: list[str]) -> None:
    """A template is filled in, or an error names its line; and what is filled in is rendered."""
    body = "".join(f"{{{{ {part} }}}}\n" for part in parts)
    with contextlib.suppress(EmailError):
        filled, values = fill_arguments({"body": f"x {body}"}, VALUES)
        render(filled["body"], values=values)


@given(st.text(st.sampled_from("{%}#-+ \n'\"|.()[]abifendforset="), max_size=60))
def test_no_malformed_template_raises_anything_else(body: str) -> None:
    """Tags that are cut off, or in one another, are errors of the template."""
    with contextlib.suppress(EmailError):
        fill(body=body, context={"a": 1})


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'abc' | truncate(-5) }}",
        "{{ items | sort }}",
        "{{ items | groupby('k') }}",
        "{{ items | map }}",
        "{{ items | map('nothing') | list }}",
        "{{ items | sum }}",
        "{{ text | urlencode(1, 2, 3) }}",
        "{{ span * 2 }}",
        "{{ number is divisibleby(0) }}",
        "{{ when | date('%') ~ when | date(5) }}",
        "{{ '{0.k.x}' .format(record) }}",
        "{{ '{}'.format() }}",
        "{{ range(1, 2, 0) }}",
        "{{ items | selectattr('k', 'nothing') | list }}",
        "{{ [items | dictsort] }}",
        "{{ nan | int(base=99) ~ (nan // 0) }}",
    ],
)
def test_what_cannot_be_computed_names_the_line(template: str) -> None:
    """Odd arguments of filters, tests and methods are errors of the template."""
    context: dict[str, Any] = VALUES
    with pytest.raises(InvalidTemplate, match=r"^body, line 2[:,] "):
        fill(body=f"x\n{template}", context=context)
