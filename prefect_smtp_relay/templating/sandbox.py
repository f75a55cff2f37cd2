"""Jinja2 with what a mail needs of it, and nothing that could reach out of the data.

Its own sandbox refuses private names. This one offers only what is listed here, and counts what is
built: data from outside and a careless template must hold up no worker.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from types import BuiltinMethodType, MethodType
from typing import Any

from jinja2 import StrictUndefined, Undefined, pass_context
from jinja2.exceptions import UndefinedError
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import Namespace, missing
from markupsafe import Markup

from prefect_smtp_relay.exceptions import nearest
from prefect_smtp_relay.rendering.quoting import end_directions
from prefect_smtp_relay.templating.budget import current_run
from prefect_smtp_relay.templating.context import Record
from prefect_smtp_relay.templating.filters import FILTERS, as_data, text_of
from prefect_smtp_relay.templating.operators import OPERATORS, bounded_range
from prefect_smtp_relay.templating.walking import BOUNDED_TESTS, walk

_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        {
            *("lower", "upper", "title", "capitalize", "strip", "lstrip", "rstrip", "split"),
            *("rsplit", "splitlines", "startswith", "endswith", "removeprefix", "removesuffix"),
            *("partition", "rpartition", "find", "count", "isdigit", "isalpha", "isalnum"),
        }
    ),
    dict: frozenset({"items", "keys", "values", "get"}),
    list: frozenset({"index", "count"}),
    datetime: frozenset(
        {
            *("year", "month", "day", "hour", "minute", "second", "tzinfo", "strftime"),
            *("isoformat", "date", "time", "weekday", "isoweekday", "timestamp"),
        }
    ),
    date: frozenset({"year", "month", "day", "strftime", "isoformat", "weekday", "isoweekday"}),
    time: frozenset({"hour", "minute", "second", "strftime", "isoformat"}),
    timedelta: frozenset({"days", "seconds", "total_seconds"}),
    LoopContext: frozenset(
        {
            *("index", "index0", "revindex", "revindex0", "first", "last", "length", "depth"),
            *("depth0", "previtem", "nextitem", "changed", "cycle"),
        }
    ),
}
"""What a template may ask of a value, by type."""


_KINDS: dict[type, str] = {str: "a text", int: "a number", float: "a number", list: "a list"}


class Missing(StrictUndefined):
    """What the context does not hold: naming it is an error, in a text that names it."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: Any = None,
        exc: type[Exception] = UndefinedError,
    ) -> None:
        super().__init__(hint or _explain(obj, name), obj, name, exc)  # type: ignore[arg-type] # any exception class will do


class Sandbox(SandboxedEnvironment):
    """The environment of all templates."""

    intercepted_binops = frozenset(OPERATORS)

    def __init__(self) -> None:
        super().__init__(
            autoescape=True, undefined=Missing, finalize=_finalize, keep_trailing_newline=True
        )
        self.filters = dict(FILTERS)
        self.tests = dict(BOUNDED_TESTS)
        self.globals = {"range": bounded_range, "namespace": Namespace}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Permit what is listed for the type."""
        del value
        if isinstance(obj, Namespace):
            return not attr.startswith("_")
        return any(attr in names for kind, names in _METHODS.items() if isinstance(obj, kind))

    def is_safe_callable(self, obj: Any) -> bool:
        """Permit macros, permitted methods, and the two globals."""
        if obj is bounded_range or obj is Namespace:
            return True
        kinds = (Macro, LoopContext, MethodType, BuiltinMethodType, Undefined)
        return isinstance(obj, kinds)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        """Say of what is not offered the same as of what does not exist."""
        return self.undefined(obj=obj, name=attribute)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a key of a mapping before its methods: ``incident.items`` is the data's."""
        if isinstance(obj, Record) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Count what a slice copies."""
        value = super().getitem(obj, walk(argument))
        if isinstance(argument, slice):
            current_run().charge(len(value))
        return value

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Bound what an operator builds."""
        del context
        return OPERATORS[operator](as_data(left), as_data(right))

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Count each call, and what it gives."""
        current_run().charge()
        if not isinstance(obj, Macro):
            walk([*args, getattr(obj, "__self__", None)])
        value = super().call(context, obj, *args, **kwargs)
        if isinstance(value, (str, list)) and not isinstance(value, Markup):
            current_run().charge(len(value))
        return value


@pass_context
def _finalize(context: Context, value: Any) -> Any:
    """Write a value for the place where it lands; blocks of the template are its own text.

    It takes the context so that Jinja2 does not fold constants, which it would escape as HTML.
    """
    del context
    run = current_run()
    if isinstance(value, Markup):
        run.charge(len(value))
        return value
    text = run.place.write(end_directions(text_of(value, run)))
    run.charge(len(text))
    return Markup(text)  # noqa: S704 - the place has escaped it


def _explain(obj: Any, name: Any) -> str:
    if obj is missing:
        return f"{name!r} is not in the context.{_hint(str(name), current_run().names)}"
    if isinstance(obj, Record):
        close = _hint(str(name), obj, obj.path_of)
        return f"{obj.path_of(name)!r} is not in the context.{close}"
    if obj is None:
        return f"{name!r} is asked of an empty value."
    return f"{_KINDS.get(type(obj), 'this')} has no {name!r} in templates."


def _hint(name: str, known: Iterable[str], path_of: Any = str) -> str:
    names = sorted(known)
    if near := nearest(name, names):
        return f" Did you mean {path_of(near)!r}?"
    listed = ", ".join(names[:10]) + ", ..." * (len(names) > 10)
    return f" There are: {listed}." if names else " It is empty."
