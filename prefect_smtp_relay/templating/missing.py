"""What is not in the context: naming it is an error, in a text that names the nearest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import StrictUndefined
from jinja2.utils import missing

from prefect_smtp_relay.exceptions import InvalidTemplate, nearest
from prefect_smtp_relay.templating.context import Record
from prefect_smtp_relay.templating.work import current_work

_KINDS: dict[type, str] = {str: "a text", int: "a number", float: "a number", list: "a list"}
_MAX_LISTED = 10


class Missing(StrictUndefined):
    """A value that is not there."""

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: Any = None, exc: Any = None
    ) -> None:
        del exc

        def explain(message: str | None) -> InvalidTemplate:
            return InvalidTemplate(message or "") if hint else _explain(obj, name)

        super().__init__(hint, obj, name, explain)  # type: ignore[arg-type]  # it is only called


def _explain(obj: Any, name: Any) -> InvalidTemplate:
    if obj is missing:
        fix = _hint(str(name), current_work().names)
        return InvalidTemplate(f"{name!r} is not in the context", fix)
    if isinstance(obj, Record):
        fix = _hint(str(name), obj, obj.path_of)
        return InvalidTemplate(f"{obj.path_of(name)!r} is not in the context", fix)
    if obj is None:
        return InvalidTemplate(f"{name!r} is asked of an empty value", "Ask within {% if %}.")
    fix = f"It has {len(obj)}." if isinstance(obj, list) else "Show the value itself."
    return InvalidTemplate(f"{_KINDS.get(type(obj), 'this')} has no {name!r} in templates", fix)


def _hint(name: str, known: Iterable[str], path_of: Callable[[str], str] = str) -> str:
    names = sorted(known)
    if close := nearest(name, names):
        return f"Did you mean {path_of(close)!r}?"
    listed = ", ".join(names[:_MAX_LISTED]) + ", ..." * (len(names) > _MAX_LISTED)
    return f"There are: {listed}." if names else "It is empty."
