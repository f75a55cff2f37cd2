"""One text with Jinja2 in it: compiled once, filled in often, its errors in our words."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from jinja2 import Template
from jinja2.exceptions import TemplateError, TemplateSyntaxError

from prefect_smtp_relay.exceptions import InvalidTemplate
from prefect_smtp_relay.rendering.values import withhold
from prefect_smtp_relay.templating.budget import Run, end_run, start_run
from prefect_smtp_relay.templating.context import Record
from prefect_smtp_relay.templating.places import Place
from prefect_smtp_relay.templating.sandbox import Sandbox
from prefect_smtp_relay.templating.syntax import Instrument

LONGEST = 100_000
"""Characters of a template: the parser's work grows with them."""

_LONGEST_REASON = 300
_FILE_NAMES = frozenset({"<template>", "<unknown>"})

_sandbox = Sandbox()


def fill(source: str, context: Record, place: Place, field: str) -> str:
    """Fill values into a template.

    Args:
        source: text with ``{{ }}`` and ``{% %}``.
        context: what the template may name.
        place: where the output lands; decides how values are written.
        field: the argument's name, for errors.

    Raises:
        InvalidTemplate: with the field, the line, and what to change.
    """
    if not isinstance(source, str):
        return source  # refused where every message is checked
    source = withhold(source)
    if "{" not in source:
        return source
    if len(source) > LONGEST:
        raise InvalidTemplate(
            f"{field}: a template of {len(source):,} characters; at most {LONGEST:,} are read."
            " Attach a file, or leave out context."
        )
    with _errors_of(field):
        template = _compile(source)
        token = start_run(Run(place, context))
        try:
            return template.render(context)
        finally:
            end_run(token)


@lru_cache(maxsize=128)
def _compile(source: str) -> Template:
    tree = Instrument().visit(_sandbox.parse(source))
    return _sandbox.from_string(tree)


@contextmanager
def _errors_of(field: str) -> Iterator[None]:
    """Turn whatever a template can raise into `InvalidTemplate`, with the field and the line."""
    try:
        yield
    except TemplateSyntaxError as error:
        raise InvalidTemplate(f"{field}, line {error.lineno}: {error.message}") from None
    except RecursionError:
        raise InvalidTemplate(f"{field}: is nested too deep. Make it flatter.") from None
    except SyntaxError:  # of the Python code that Jinja2 writes
        raise InvalidTemplate(f"{field}: has too many loops in one another.") from None
    except (InvalidTemplate, TemplateError) as error:
        raise InvalidTemplate(f"{_place_of(error, field)}: {_reason(error)}") from None
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        text = f"{_place_of(error, field)}: cannot be computed: {_reason(error)}"
        raise InvalidTemplate(text) from None


def _place_of(error: Exception, field: str) -> str:
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename in _FILE_NAMES
    ]
    return f"{field}, line {lines[-1]}" if lines else field


def _reason(error: Exception) -> str:
    text = str(error)
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."
