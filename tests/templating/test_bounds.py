"""A template cannot hold up a worker, nor reach what the context does not hold."""

from __future__ import annotations

from decimal import Decimal

import pytest

from prefect_smtp_relay.exceptions import InvalidTemplate
from prefect_smtp_relay.templating.places import Place
from prefect_smtp_relay.templating.work import Work

from .filling import fill


def _grow(start: str, step: str, name: str = "n") -> str:
    """A template that makes more of a value, ninety times."""
    return (
        f"{{% set {name} = namespace(x={start}) %}}{{% for i in range(90) %}}{step}{{% endfor %}}"
    )


CONTEXT = {"long": "x" * 10_000, "price": Decimal("1.5"), "small": Decimal("1E-1000")}
MANY_TIMES = "{% set x = 'x' * 10 ** 5 %}"
LISTS = _grow("(1,)", "{% set n.x = (n.x, n.x, n.x) %}")
OTHER_LISTS = _grow("(1,)", "{% set m.x = (m.x, m.x, m.x) %}", "m")

TOO_MUCH = {
    "text times number": "{{ 'x' * 10 ** 9 }}",
    "number times text": "{{ 10 ** 9 * 'x' }}",
    "list times number": "{{ [1] * 10 ** 9 }}",
    "loops in loops": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}"
    "{% endfor %}",
    "the template's own text": "{% for a in range(9999) %}" + "x" * 1000 + "{% endfor %}",
    "doubling by ~": _grow("'xx'", "{% set n.x = n.x ~ n.x %}"),
    "doubling by +": _grow("'xx'", "{% set n.x = n.x + n.x %}"),
    "doubling lists": _grow("[1]", "{% set n.x = n.x + n.x %}"),
    "doubling blocks": _grow("'xx'", "{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}"),
    "squaring": _grow("9", "{% set n.x = n.x * n.x %}"),
    "joining": "{{ range(9999) | join('x' * 9999) }}",
    "replacing": "{{ ('x' * 9999) | replace('x', 'y' * 9999) }}",
    "copying slices": "{% set n = namespace(x=[]) %}{% for i in range(9999) %}"
    "{% set n.x = n.x + [long[1:]] %}{% endfor %}",
    "slices beside one another": "{% set a = long[1:] %}" * 400,
    "slices in calls": "{% macro m(a, n) %}{% if n %}{{ m(a[1:], n - 1) }}{% endif %}"
    "{% endmacro %}{{ m(long, 99) }}",
    "methods": "{% for i in range(9999) %}{% set x = long.upper() %}{% endfor %}",
    "filters": "{% for i in range(9999) %}{% set x = long | upper %}{% endfor %}",
    "slicing into parts": "{{ [1] | slice(10 ** 9) | list }}",
    "filling up a row": "{{ [1] | batch(10 ** 7, 'x') | list | length }}",
    "wrapping with much": "{{ ('a ' * 9999) | wordwrap(1, wrapstring='x' * 9999) | length }}",
    "one text in a list": MANY_TIMES + "{{ [x] * 10 ** 5 }}",
    "one text in a list, by ~": MANY_TIMES + "{{ [x] * 10 ** 5 ~ 'x' }}",
    "one text in a list, by a filter": MANY_TIMES + "{{ [x] * 10 ** 5 | upper }}",
    "one text in a list, as JSON": MANY_TIMES + "{{ ([x] * 10 ** 5) | tojson }}",
    "lists in lists": LISTS + "{{ n.x }}",
    "lists in lists, as text": LISTS + "{{ n.x | string }}",
    "wrapping spaces": "{{ (' ' * 10 ** 6) | wordwrap(9) | length }}",
    "wrapping letters": "{{ ('x' * 10 ** 6) | wordwrap(1) | length }}",
    "wrapping lines": "{{ ('\\n' * 10 ** 6) | wordwrap | length }}",
    "a decimal number": "{{ price.scaleb(999999) | int }}",
    "a decimal number, divided": "{% set n = namespace(x=price) %}{% for i in range(9999) %}"
    "{% set n.x = n.x / small %}{% endfor %}{{ n.x | int }}",
    "a decimal number, multiplied": _grow("price", "{% set n.x = n.x * n.x %}"),
    "macros": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}"
    "{% endif %}{% endmacro %}{{ m(40) }}",
    "recursive loops": "{% for a in range(9) recursive %}{% if loop.depth < 40 %}"
    "{{ loop(range(9)) }}{% endif %}{% endfor %}",
    "endless recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "power": "{{ 9999 ** 9999 }}",
    "rounding": "{{ 1.5 | round(10 ** 9, 'ceil') }}",
    "range": "{{ range(10 ** 9) | list }}",
    "formatting": "{{ '%1000000000d' % 1 }}",
    "formatting by name": "{{ '%(a)10000000s' % {'a': 1} }}",
    "formatting by a name with signs": "{{ '%(a(%)b)s)10000000s' % {'a(%)b)s': 1} }}",
    "formatting digits": "{{ '%.10000000f' % 1 }}",
    "formatting as a value says": "{{ '%-*d' % (10000000, 1) }}",
    "formatting by a filter": "{{ '%(a)-10000000s' | format(a=1) }}",
    "a format": "{{ '{:>10000000}'.format(1) }}",
    "a format as a value says": "{{ '{:{}}'.format(1, 10000000) }}",
    "a format by a key": "{{ '{0[a}]:>10000000}'.format({'a}': 1}) }}",
    "nesting": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "loops nested": "{% for a in [1] %}" * 30 + "{% endfor %}" * 30,
    "length": "{{ long }}" + "x" * 100_000,
}


@pytest.mark.parametrize("body", TOO_MUCH.values(), ids=TOO_MUCH)
def test_too_much_is_refused(body: str) -> None:
    """The error names the field, and comes before the machine feels it."""
    with pytest.raises(InvalidTemplate, match=r"^body"):
        fill(body=body, context=CONTEXT, max_bytes=100_000)


def test_time_is_bounded() -> None:
    """A template that computes for too long is ended, whatever it builds."""
    seconds = iter([0.0, 1.0, 3.0])
    work = Work(Place(), clock=lambda: next(seconds))
    work.charge()
    with pytest.raises(InvalidTemplate, match=r"^takes more than 2 s\."):
        work.charge()


TOO_LONG = {
    "equal": "{{ n.x == m.x }}",
    "not equal": "{{ 1 != n.x != m.x }}",
    "in": "{{ n.x in [m.x] }}",
    "a test": "{{ n.x is eq m.x }}",
    "a test in a filter": "{{ [n.x] | select('eq', m.x) | list }}",
    "a method": "{{ [n.x].index(m.x) }}",
    "sorting": "{{ [n.x, m.x] | sort | length }}",
    "a key": "{{ {n.x: 1} | length }}",
    "a key that is read": "{{ {}[n.x] }}",
    "a key that is got": "{{ {}.get(n.x) }}",
    "JSON": "{{ n.x | tojson }}",
}


@pytest.mark.parametrize("body", TOO_LONG.values(), ids=TOO_LONG)
def test_lists_in_lists_are_not_compared_without_end(body: str) -> None:
    """A list that is in another one many times counts as often: so it is compared and written."""
    with pytest.raises(InvalidTemplate, match=r"^body, line 1: builds too much"):
        fill(body=LISTS + OTHER_LISTS + body, max_bytes=100_000)


OUT_OF_REACH = (
    "{{ ''.__class__.__mro__ }}",
    "{{ x['__class__'] }}",
    "{{ x | attr('__class__') }}",
    "{{ [x] | map(attribute='__class__') | list }}",
    "{{ [x] | groupby('__class__') | list }}",
    "{{ x.format_map({}) }}",
    "{{ x.encode() }}",
    "{{ range.__globals__ }}",
    "{{ namespace.__init__ }}",
    "{{ namespace(a=1).__class__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% for a in [1] %}{{ loop._iterable }}{% endfor %}",
    "{{ self }}",
    "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler('a').next }}",
    "{{ lipsum() }}",
    "{{ dict(a=1) }}",
    "{{ config }}",
    "{{ range }}",
    "{{ [1].append(2) }}",
    "{{ x | safe }}",
    "{{ x | e }}",
    "{{ x | forceescape }}",
    "{{ x | urlize }}",
    "{{ {'a': x} | xmlattr }}",
    "{{ [x] | map('safe') | join }}",
    "{{ [x] | map('=upper') | list | first | safe }}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{% block x %}{% endblock %}",
    "{% filter upper %}x{% endfilter %}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{% endcall %}",
    "{% autoescape false %}{{ x }}{% endautoescape %}",
    "{% set y | replace('a', x) %}a{% endset %}{{ y }}",
)


@pytest.mark.parametrize("body", OUT_OF_REACH)
def test_what_is_not_offered_is_refused(body: str) -> None:
    """No private name, no way to mark data as safe, no other template, nothing random."""
    with pytest.raises(InvalidTemplate, match=r"^body, line 1: "):
        fill(body=body, context={"x": "x"})


def test_a_value_is_no_template() -> None:
    """Braces in a value are braces."""
    assert fill(subject="{{ a }}", context={"a": "{{ b }}", "b": "c"}).subject == "{{ b }}"
