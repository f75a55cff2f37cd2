"""The filters of templates: Jinja2's own that only read, and bounded ones of those that build."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import filters, pass_context
from jinja2.runtime import Context, Undefined
from markupsafe import Markup

from prefect_smtp_relay.exceptions import InvalidTemplate
from prefect_smtp_relay.templating.budget import Run, current_run
from prefect_smtp_relay.templating.context import PLAIN
from prefect_smtp_relay.templating.walking import WALK, walk

CONCATENATE = "~"
"""Written by `syntax` in place of the operator; no template can name a filter so."""

PACE = "for"
"""Written by `syntax` around what a loop goes through."""

_READING = (
    *("abs", "capitalize", "count", "d", "default", "dictsort", "filesizeformat"),
    *("first", "float", "groupby", "int", "items", "last", "length", "list", "lower", "map"),
    *("max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "slice", "sort"),
    *("string", "title", "trim", "truncate", "unique", "upper", "urlencode", "wordcount"),
)
"""Jinja2's own; what they give is in proportion to what they read."""

_WRITING = frozenset(
    {"capitalize", "lower", "string", "title", "trim", "truncate", "upper", "wordcount"}
)
"""Those of them that take a list as the text that Python would write for it."""

_MOST_DIGITS = 15


def as_data(value: Any) -> Any:
    """Take a block of the template for data, once something is to be made of it."""
    return str.__str__(value) if isinstance(value, Markup) else value


def text_of(value: Any, run: Run) -> str:
    """Write a value as people would: nothing for None, a list with commas between its items.

    Raises:
        InvalidTemplate: it is no value, such as a macro that is not called.
    """
    if value is None:
        return ""
    if isinstance(value, (str, Undefined)):
        return str(as_data(value))
    if isinstance(value, dict):
        return _listed((f"{k}: {text_of(v, run)}" for k, v in run.pace(value.items())), run)
    if isinstance(value, Iterable):
        return _listed((text_of(item, run) for item in run.pace(value)), run)
    if not isinstance(value, PLAIN):
        raise InvalidTemplate(
            f"a {type(value).__name__} stands where a value should. Call it, with (), if it is a"
            " function."
        )
    return str(value)


def _listed(texts: Iterable[str], run: Run) -> str:
    """Count before it is written: one long text may stand in a list very often."""
    counted = []
    for text in texts:
        run.charge(len(text))
        counted.append(text)
    return ", ".join(counted)


def _batch(value: Any, linecount: int, fill_with: Any = None) -> Iterator[list[Any]]:
    if fill_with is not None:
        current_run().charge(max(linecount, 0))
    return filters.do_batch(value, linecount, fill_with)


def _join(value: Iterable[Any], d: str = "", attribute: str | None = None) -> str:
    run = current_run()
    if attribute is not None:
        raise InvalidTemplate(f"join takes no attribute; write map(attribute={attribute!r}) first.")
    texts = [text_of(item, run) for item in run.pace(value)]
    run.charge(sum(map(len, texts)) + len(d) * len(texts))
    return d.join(texts)


def _concatenate(parts: list[Any]) -> str:
    run = current_run()
    texts = [text_of(part, run) for part in parts]
    run.charge(sum(map(len, texts)))
    return "".join(texts)


def _replace(value: Any, old: str, new: str, count: int = -1) -> str:
    run = current_run()
    text = text_of(value, run)
    run.charge(len(text) + text.count(old) * len(new))
    return text.replace(old, new, count)


def _round(value: float, precision: int = 0, method: str = "common") -> float:
    if not 0 <= precision <= _MOST_DIGITS:
        raise InvalidTemplate(f"round takes a precision of 0 to {_MOST_DIGITS}.")
    return filters.do_round(value, precision, method)  # type: ignore[arg-type] # it checks the method


def _sum(value: Iterable[Any], attribute: str | None = None) -> Any:
    if attribute is not None:
        raise InvalidTemplate(f"sum takes no attribute; write map(attribute={attribute!r}) first.")
    return sum(current_run().pace(value))


def _tojson(value: Any, indent: int | None = None) -> str:
    run = current_run()
    indent = None if indent is None else min(indent, 8)
    text = []
    for piece in json.JSONEncoder(indent=indent, ensure_ascii=False).iterencode(value):
        run.charge(len(piece))
        text.append(piece)
    return "".join(text)


def _counted(name: str) -> Callable[..., Any]:
    """Make a filter count what it gives, and see data only."""

    @pass_context
    def counted(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        run = current_run()
        run.charge()
        named = {key: walk(as_data(argument)) for key, argument in kwargs.items()}
        positional = [walk(as_data(argument)) for argument in args]
        read = text_of(value, run) if name in _WRITING else walk(_data(value))
        result = context.environment.call_filter(
            _hidden(name), read, positional, named, context, context.eval_ctx
        )
        if isinstance(result, (str, list, tuple, dict)):
            run.charge(len(result))
        return run.pace(result) if isinstance(result, Iterator) else result

    return counted


def _data(value: Any) -> Any:
    return list(map(as_data, value)) if isinstance(value, list) else as_data(value)


def _hidden(name: str) -> str:
    """A name that no template can write."""
    return f"={name}"


_BOUNDED: dict[str, Callable[..., Any]] = {
    "batch": _batch,
    "join": _join,
    "replace": _replace,
    "round": _round,
    "sum": _sum,
    "tojson": _tojson,
    CONCATENATE: _concatenate,
}

FILTERS: dict[str, Callable[..., Any]] = {
    **{_hidden(name): filters.FILTERS[name] for name in _READING},
    **{_hidden(name): function for name, function in _BOUNDED.items()},
    **{name: _counted(name) for name in (*_READING, *_BOUNDED)},
    PACE: lambda items: current_run().pace(items),
    WALK: walk,
}
"""By name; those behind a sign do the work for the ones that count."""

OFFERED = sorted({*_READING, *_BOUNDED} - {CONCATENATE})
"""What templates may name."""
