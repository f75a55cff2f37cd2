"""The filters of templates: most of Jinja's own, each counted, and a few that mails need."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time
from functools import wraps
from string import Formatter
from typing import Any, NoReturn

from jinja2 import filters, pass_environment
from jinja2.environment import Environment
from jinja2.runtime import Undefined
from jinja2.tests import TESTS as JINJAS_TESTS
from markupsafe import Markup

from prefect_smtp_relay.exceptions import InvalidTemplate
from prefect_smtp_relay.templating.context import PLAIN
from prefect_smtp_relay.templating.work import current_work

MARKING = frozenset({"safe", "e", "escape", "forceescape", "urlize", "xmlattr"})
_NOT_OFFERED = MARKING | {"attr", "center", "indent", "pprint", "random"}
_OF_TEXT = frozenset(
    {"capitalize", "lower", "string", "title", "trim", "truncate", "upper", "wordcount"}
)
"""They read a list as the text that people would write for it."""

_MAX_DIGITS = 99
_RUN = re.compile(r"\s+|\S+")
_WRAPPED_LINE, _WRAPPED_CHARACTER, _COPIED_PER_COUNT = 32, 4, 1000
_FORMATTER = Formatter()
_WIDE = re.compile(r"\d{3}|[*{]")
"""A width or precision that makes much of little, or as much as a value says."""
_AFTER_PERCENT = re.compile(r"%[ #+0-]*\d*\.?(?:\d{3}|\*)")
_AFTER_NAME = re.compile(r"\)[ #+0-]*\d*\.?(?:\d{3}|\*)")
"""The same in ``%(name)s``, whose name may have anything in it, parentheses and ``%`` too."""


def as_data(value: Any) -> Any:
    """Take a block of the template for data, once something is to be made of it."""
    return str.__str__(value) if isinstance(value, Markup) else value


def text_of(value: Any) -> str:
    """Write a value as people would: nothing for None, a list with commas between its items.

    Raises:
        InvalidTemplate: it is not a value, such as a macro that is not called.
    """
    if value is None:
        return ""
    if isinstance(value, (str, Undefined)):
        return str(as_data(value))
    if isinstance(value, dict):
        value = (f"{key}: {text_of(item)}" for key, item in value.items())
    if isinstance(value, Iterable):
        return ", ".join(current_work().paced(map(text_of, value)))
    if not isinstance(value, PLAIN):
        problem = f"a {type(value).__name__} is where a value should be"
        raise InvalidTemplate(problem, "Call it, with (), if it is a function.")
    return str(value)


def concatenate(*values: Any) -> str:
    """Write values after one another."""
    return "".join(current_work().paced(map(text_of, values)))


def check_percents(template: str) -> str:
    """Return a template of ``%`` that makes little more than its values.

    Raises:
        InvalidTemplate: a field has a very large width, or takes it from a value.
    """
    if _AFTER_PERCENT.search(template) or ("%(" in template and _AFTER_NAME.search(template)):
        _refuse_width()
    return template


def check_braces(template: str) -> str:
    """Return a template of ``format()`` that makes little more than its values.

    Raises:
        InvalidTemplate: a field has a very large width, or takes it from a value.
    """
    if any(
        _WIDE.search(specification or "") for _, _, specification, _ in _FORMATTER.parse(template)
    ):
        _refuse_width()
    return template


def _refuse_width() -> NoReturn:
    problem = "a format has a very large width, or takes it from a value"
    raise InvalidTemplate(problem, f"Write a number up to {_MAX_DIGITS}.")


def _format(template: Any, *values: Any, **named: Any) -> Any:
    return check_percents(text_of(template)) % (named or values)


@pass_environment
def _join(
    environment: Environment, values: Iterable[Any], d: str = "", attribute: str | None = None
) -> str:
    if attribute is not None:
        values = map(filters.make_attrgetter(environment, attribute), values)
    texts = list(current_work().paced(map(text_of, values)))
    current_work().charge(len(d) * len(texts))
    return d.join(texts)


def _batch(values: Iterable[Any], linecount: int, fill_with: Any = None) -> Iterator[Any]:
    """Rows of so many items; what fills up the last one is counted before it is there."""
    if fill_with is not None:
        current_work().charge(linecount)
    return filters.do_batch(values, linecount, fill_with)


def _charge_wrapping(text: str, width: int) -> None:
    """Count lines, words, and the copies that Python makes of what is cut to the width."""
    work = current_work()
    work.charge(_WRAPPED_LINE * len(text.splitlines()) + _WRAPPED_CHARACTER * len(text))
    copied = sum(len(run) ** 2 for run in _RUN.findall(text) if len(run) > width)
    work.charge(copied // max(width, 1) // _COPIED_PER_COUNT)


@pass_environment
def _wordwrap(
    environment: Environment,
    value: Any,
    width: int = 79,
    break_long_words: bool = True,
    wrapstring: str | None = None,
    break_on_hyphens: bool = True,
) -> str:
    text = text_of(value)
    _charge_wrapping(text, width)
    wrapped = filters.do_wordwrap(
        environment, text, width, break_long_words, "\n", break_on_hyphens
    )
    return wrapped if wrapstring is None else _replace(wrapped, "\n", wrapstring)


def _replace(value: Any, old: str, new: str, count: int = -1) -> str:
    text = text_of(value)
    current_work().charge(text.count(old) * len(new))
    return text.replace(old, new, count)


def _round(value: Any, precision: int = 0, method: Any = "common") -> Any:
    if not 0 <= precision <= _MAX_DIGITS:
        raise InvalidTemplate("round has a very large precision", f"Write 0 to {_MAX_DIGITS}.")
    return filters.do_round(value, precision, method)


def _tojson(value: Any, indent: int | None = None) -> str:
    encoder = json.JSONEncoder(indent=indent and min(indent, 8), ensure_ascii=False, default=str)
    return "".join(current_work().paced(encoder.iterencode(value)))


def _date(value: Any, pattern: str = "") -> str:
    """``{{ started | date('%d %b %Y, %H:%M') }}``, of a date, a time or an ISO 8601 text."""
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(when, (date, time)):
        problem = f"date takes a date, a time or an ISO 8601 text, not {type(when).__name__}"
        raise InvalidTemplate(problem, "Pass the date itself in context.")
    shown = (
        "%H:%M" if isinstance(when, time) else "%Y-%m-%d" + " %H:%M" * isinstance(when, datetime)
    )
    return when.strftime(pattern or shown)


def _flatten(values: Iterable[Any], levels: int = -1) -> Iterator[Any]:
    """The items of lists within a list, all levels deep or so many."""
    for value in values:
        if isinstance(value, (list, tuple, Iterator)) and levels:
            yield from _flatten(value, levels - 1)
        else:
            yield value


def counted(function: Any, reads_text: bool = False) -> Callable[..., Any]:
    """Make a function of templates count what it gives, and see data only."""
    takes_environment = hasattr(function, "jinja_pass_arg")

    @wraps(function)
    def counting(*args: Any, **named: Any) -> Any:
        work = current_work()
        work.charge()
        passed = [as_data(argument) for argument in args]
        if reads_text:
            passed[takes_environment] = text_of(passed[takes_environment])
        result = function(*passed, **{name: as_data(value) for name, value in named.items()})
        return work.paced(result) if isinstance(result, Iterator) else work.built(result)

    return counting


_OWN = {
    "batch": _batch,
    "date": _date,
    "flatten": _flatten,
    "format": _format,
    "join": _join,
    "replace": _replace,
    "round": _round,
    "tojson": _tojson,
    "wordwrap": _wordwrap,
}

FILTERS = {
    name: counted(function, reads_text=name in _OF_TEXT)
    for name, function in sorted({**filters.FILTERS, **_OWN}.items())
    if name not in _NOT_OFFERED
}
"""What templates may name."""

TESTS = {name: counted(test) for name, test in JINJAS_TESTS.items()}
