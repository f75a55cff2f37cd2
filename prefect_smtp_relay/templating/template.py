"""One text with Jinja in it: compiled once, filled in often, its errors in our words."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from jinja2 import Template
from jinja2.exceptions import TemplateSyntaxError

from prefect_smtp_relay.exceptions import EmailError, InvalidTemplate
from prefect_smtp_relay.rendering.values import MAX_TEXT_BYTES, withhold
from prefect_smtp_relay.templating.context import Record
from prefect_smtp_relay.templating.places import Place
from prefect_smtp_relay.templating.sandbox import Sandbox
from prefect_smtp_relay.templating.work import Work, end_work, start_work

MAX_TEMPLATE = 100_000
"""Characters of a template: the parser's work grows with them."""

_MAX_REASON = 300
_FILE_NAMES = frozenset({"<template>", "<unknown>"})

_sandbox = Sandbox()


def fill(
    source: str, context: Record, place: Place, field: str, max_bytes: int = MAX_TEXT_BYTES
) -> str:
    """Fill values into a template.

    Args:
        source: text with ``{{ }}`` and ``{% %}``.
        context: what the template may name.
        place: where the output lands; decides how values are written.
        field: the argument's name, for errors.
        max_bytes: of the filled text.

    Raises:
        InvalidTemplate: with the field, the line, and what to change.
    """
    if not isinstance(source, str):
        return source  # refused where every message is checked
    source = withhold(source)
    if "{" not in source:
        return source
    if len(source) > MAX_TEMPLATE:
        raise InvalidTemplate(
            f"is a template of {len(source):,} characters; at most {MAX_TEMPLATE:,} are read",
            "Attach a file, or leave out context.",
            field=field,
        )
    with _errors_of(field):
        template = _compile(source)
        token = start_work(Work(place, context, max_bytes))
        try:
            return template.render(context)
        finally:
            end_work(token)


@lru_cache(maxsize=128)
def _compile(source: str) -> Template:
    return _sandbox.from_string(source)


@contextmanager
def _errors_of(field: str) -> Iterator[None]:
    """Turn whatever a template can raise into `InvalidTemplate`, with the field and the line."""
    try:
        yield
    except TemplateSyntaxError as error:
        place = f"{field}, line {error.lineno}"
        raise InvalidTemplate(error.message or "is malformed", field=place) from None
    except RecursionError:
        raise InvalidTemplate("is nested too deep", "Make it flatter.", field=field) from None
    except SyntaxError:  # of the Python code that Jinja writes
        problem, fix = "has too many loops within one another", "Make it flatter."
        raise InvalidTemplate(problem, fix, field=field) from None
    except EmailError as error:
        place = ", ".join([field, error.field] if error.field else _place_of(error, field))
        raise error.copy(field=place) from None
    except Exception as error:  # whatever a filter makes of odd arguments
        problem = f"cannot be computed: {_reason(error)}"
        raise InvalidTemplate(problem, field=", ".join(_place_of(error, field))) from None


def _place_of(error: Exception, field: str) -> list[str]:
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename in _FILE_NAMES
    ]
    return [field, f"line {lines[-1]}"] if lines else [field]


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= _MAX_REASON else f"{text[:_MAX_REASON]}..."
