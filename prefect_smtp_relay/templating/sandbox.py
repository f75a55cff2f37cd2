"""Jinja's sandbox with what a mail needs of it: errors that name things, values for their place.

What is built is counted (`work`): a value from outside, or a careless loop, must not use up a
worker.
"""

from __future__ import annotations

from typing import Any

from jinja2 import Undefined, pass_context
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from markupsafe import Markup

from prefect_smtp_relay.exceptions import InvalidTemplate
from prefect_smtp_relay.rendering.quoting import clean, end_directions
from prefect_smtp_relay.templating.context import MAX_BITS, Record
from prefect_smtp_relay.templating.filters import (
    FILTERS,
    TESTS,
    as_data,
    check_braces,
    check_percents,
    concatenate,
    text_of,
)
from prefect_smtp_relay.templating.missing import Missing
from prefect_smtp_relay.templating.syntax import BUILT, CONCATENATE, PACED, ArrangeLines, Instrument
from prefect_smtp_relay.templating.work import current_work

_BUILDERS = frozenset(
    {
        *("center", "ljust", "rjust", "zfill", "expandtabs", "replace", "join", "translate"),
        *("maketrans", "encode", "format_map", "to_bytes", "from_bytes"),
    }
)
"""Methods of texts and numbers that can make much of little, or bytes."""

_MAX_RANGE = 10_000


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of all templates."""

    intercepted_binops = frozenset({"+", "*", "**", "%", "/"})

    def __init__(self) -> None:
        super().__init__(
            autoescape=True,
            undefined=Missing,
            finalize=_finalize,
            keep_trailing_newline=True,
            trim_blocks=True,
            optimized=False,  # what is computed at compile time is not counted
            extensions=[ArrangeLines],
        )
        self.filters = {
            **FILTERS,
            BUILT: lambda value: current_work().built(value),
            CONCATENATE: concatenate,
            PACED: lambda value: current_work().paced(value),
        }
        self.tests = dict(TESTS)
        self.globals = {"range": _range, "namespace": Namespace}

    def _generate(self, source: Any, *args: Any, **kwargs: Any) -> str:
        return super()._generate(Instrument().visit(source), *args, **kwargs)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Permit what only reads."""
        return attr not in _BUILDERS and super().is_safe_attribute(obj, attr, value)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        """Say of what is not offered the same as of what does not exist."""
        return self.undefined(obj=obj, name=attribute)

    def wrap_str_format(self, value: Any) -> Any:
        """Bound the widths in ``'{:,}'.format(value)``."""
        if getattr(value, "__name__", "") != "format" or not super().wrap_str_format(value):
            return None
        return super().wrap_str_format(check_braces(as_data(value.__self__)).format)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a key of a mapping before its methods: ``incident.items`` is the data's."""
        if isinstance(obj, Record) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Bound what an operator builds, before it does."""
        left, right = as_data(left), as_data(right)
        if isinstance(left, int) and isinstance(right, int) and operator != "/":
            _check_bits(operator, left, right)
        elif operator == "*":
            for many, times in ((left, right), (right, left)):
                if isinstance(many, (str, list, tuple)) and isinstance(times, int):
                    current_work().charge(len(many) * max(times, 0))
        elif operator == "%" and isinstance(left, str):
            check_percents(left)
        return current_work().built(super().call_binop(context, operator, left, right))

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Count each call, and what it gives but for what a macro has written already."""
        current_work().charge()
        value = super().call(context, obj, *args, **kwargs)
        return value if isinstance(obj, Macro) else current_work().built(value)


def _check_bits(operator: str, left: int, right: int) -> None:
    bits = left.bit_length()
    if (bits * abs(right) if operator == "**" else bits + right.bit_length()) > MAX_BITS:
        raise InvalidTemplate("a number gets too large", "Compute it before.")


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > _MAX_RANGE:
        raise InvalidTemplate(f"range has more than {_MAX_RANGE:,} numbers", "Shorten it.")
    return numbers


@pass_context
def _finalize(context: Context, value: Any) -> Markup:
    """Write a value for the place where it lands; blocks of the template are its own text.

    It takes the context so that Jinja does not fold constants, which it would escape as HTML.
    """
    del context
    if not isinstance(value, Markup):
        value = end_directions(clean(text_of(value)))
    return current_work().write(value)
