"""Numbers, dates and lists are written as the author wants."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from prefect_smtp_relay.exceptions import InvalidTemplate

from .filling import fill, render_body

CONTEXT = {
    "n": 1234567,
    "ratio": 0.12345,
    "price": Decimal("1234.5"),
    "started": datetime(2026, 3, 14, 3, 7, 9, tzinfo=UTC),
    "day": date(2026, 3, 14),
    "clock": time(3, 7),
    "iso": "2026-03-14T03:07:09+00:00",
    "nested": [1, [2, [3, [4]]]],
    "names": ["a", "b"],
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ '{:,}'.format(n) }}", "1,234,567"),
        ("{{ '{:,.2f}'.format(price) }}", "1,234.50"),
        ("{{ '{:>9}|{:.1%}'.format(n, ratio) }}", "  1234567|12.3%"),
        ("{{ '{n:,} of {n}'.format(n=n) }}", "1,234,567 of 1234567"),
        ("{{ '{:%d %b}'.format(started) }}", "14 Mar"),
        ("{{ '%.2f' | format(ratio) }}", "0.12"),
        ("{{ '%s: %05d' | format('a', 7) }}", "a: 00007"),
        ("{{ '%(a)s' | format(a=1) }}", "1"),
        ("{{ '%.1f %%' % ratio }}", "0.1 %"),
        ("{% set f %}{:,}{% endset %}{{ f.format(n) }}", "1,234,567"),
        ("{{ started | date }}", "2026-03-14 03:07"),
        ("{{ day | date }}", "2026-03-14"),
        ("{{ started | date('%H:%M') }}", "03:07"),
        ("{{ clock | date }}", "03:07"),
        ("{{ clock | date('%H h') }}", "03 h"),
        ("{{ iso | date('%d.%m.%Y') }}", "14.03.2026"),
        ("{{ nested | flatten }}", "1, 2, 3, 4"),
        ("{{ nested | flatten(levels=1) | list | length }}", "3"),
        ("{{ ratio | round(2) }}", "0.12"),
        ("{{ names | join(' and ') }}", "a and b"),
        ("{{ [{'k': 1}, {'k': 2}] | join('+', attribute='k') }}", "1+2"),
        ("{{ {'a': [1, '<'], 'd': day} | tojson }}", '{"a": [1, "<"], "d": "2026-03-14"}'),
        ("{{ names | upper }}", "A, B"),
    ],
)
def test_a_value_is_formatted(template: str, text: str) -> None:
    """Python's formatting works, and filters for dates and nested lists."""
    assert fill(text=template, context=CONTEXT).text == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ '{:1000000000}'.format(n) }}", "a format has a very large width"),
        ("{{ '{:{w}}'.format(n, w=n) }}", "a format has a very large width"),
        ("{{ '{:.999f}'.format(n) }}", "a format has a very large width"),
        ("{{ '%*d' % (n, n) }}", "a format has a very large width"),
        ("{{ '%1000000000d' | format(n) }}", "a format has a very large width"),
        ("{{ '%.2f' | format('x') }}", "cannot be computed: "),
        ("{{ '{0.__class__}'.format(n) }}", "a number has no '__class__' in templates"),
        ("{{ n | date }}", "date takes a date, a time or an ISO 8601 text, not int"),
        ("{{ 'soon' | date }}", "cannot be computed: Invalid isoformat string"),
    ],
)
def test_what_cannot_be_formatted_is_refused(template: str, text: str) -> None:
    """The error says why, and no format makes much of little."""
    with pytest.raises(InvalidTemplate) as caught:
        fill(text=template, context=CONTEXT)
    assert str(caught.value).startswith(f"text, line 1: {text}")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_of_tags_leave_no_line(end: str) -> None:
    """A loop around rows makes one table, also where comments and several tags are on a line."""
    body = end.join(
        [
            *("{# rows #}", "| a |", "|-|", "  {% for x in names %}{% if x %}  "),
            *("| {{ x }} |", "{% endif %}", "{%- endfor %}", "", "end"),
        ]
    )
    rendered = render_body(body, names=["x", "y"])
    assert rendered.text == "a\n-\nx\ny\n\nend"
    assert rendered.html.count('class="data"') == 1


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("a {% if n %}b{% endif %}\nc", "a b\nc"),
        ("{% if n %}b{% endif %} c\nd", "b c\nd"),
        ("{% if n %}b{% endif %}\nd", "b\nd"),
        ("    {% if n %}b{% endif %}", "    b"),
        ("{{ n }}\n{% set x = 1 %}\n{{ x }}", "1234567\n1"),
        ("{% set x = [\n1,\n2] %}\n{{ x }}", "1, 2"),
        ("a{# b\nc #}\nd", "a\nd"),
        ("{%+ if n +%}\na{% endif %}", "\na"),
        ("{% raw %}\n{% x %}\na {% y %}\n{% endraw %}", "\n{% x %}\na {% y %}\n"),
        ("{%" * 3000 + "{{ n }}", None),
    ],
)
def test_lines_with_a_text_keep_their_ends(template: str, text: str | None) -> None:
    """Only a line with nothing but tags is dropped; line numbers of errors stay the author's."""
    if text is None:
        with pytest.raises(InvalidTemplate):
            fill(text=template, context=CONTEXT)
    else:
        assert fill(text=template, context=CONTEXT).text == text


def test_a_line_of_an_error_is_the_authors() -> None:
    """Lines that are dropped count."""
    with pytest.raises(InvalidTemplate, match=r"^body, line 5: 'x' is not in the context"):
        fill(body="{% if 1 %}\n\n{% endif %}\n  {% set y = 1 %}\n{{ x }}", context={})
