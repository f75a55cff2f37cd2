"""Nothing explodes: a mail is bounded by what it becomes, in 700 MB and 15 s of its process."""

from __future__ import annotations

import re

import pytest

from prefect_smtp_relay.exceptions import MessageTooLarge
from prefect_smtp_relay.rendering.render import render

from .limited import render_limited

DOUBLING = "{% set a = v %}" + "".join(
    "{% set b = a ~ a %}{% set a %}{{ b }}{% endset %}" for _ in range(8)
)
BODIES = {
    "doubled blocks": (f"{DOUBLING}{{{{ a }}}}", "'x' * 100_000"),
    "doubled concatenations": ("{% set a = v ~ v %}" * 2 + "{{ a ~ a ~ a ~ a }}", "'x' * 500_000"),
    "a value in a loop": (
        "{% for i in range(3000) %}- {{ v }}\n{% endfor %}",
        "'\\u00fc' * 100_000",
    ),
    "a value in a macro": (
        "{% macro m() %}{{ v }}{{ v }}{% endmacro %}{{ m() }}{{ m() }}",
        "'x' * 900_000",
    ),
    "a value that is escaped": (
        "{% for i in range(9) %}{{ v }}{% endfor %}",
        "'<' * 900_000",
    ),
    "joined values": ("{{ [v, v, v] | join(v) }}", "'x' * 900_000"),
    "replaced characters": ("{{ v | replace('x', v) }}", "'x' * 90_000"),
    "lines of a value": ("{{ v }}", "'a\\n' * 900_000"),
    "a value in a link's definition": ("[a]: {{ v }}\n\n" + "[a]" * 5000, "'https://' * 9999"),
    "an enormous product": (
        "{% set n = namespace(x=99) %}{% for i in range(9000) %}{% set n.x = n.x * n.x %}"
        "{% endfor %}{{ n.x }}",
        "1",
    ),
    "an enormous power": ("{{ v ** v ** v }}", "99"),
}


@pytest.mark.parametrize(("body", "value"), BODIES.values(), ids=BODIES)
def test_what_a_template_becomes_is_bounded(body: str, value: str) -> None:
    """The error comes while it is written, before the machine feels it."""
    told = render_limited(f"({{'body': {body!r}}}, {{'v': {value}}})")
    assert re.match(r"(InvalidTemplate|MessageTooLarge) body", told), told


@pytest.mark.parametrize(
    "template", ["{{ v | int }}", "{{ v }}", "{{ v | float }}", "{{ '%s' | format(v) }}"]
)
def test_an_enormous_decimal_is_only_text(template: str) -> None:
    """It shows as typed, and nothing computes with it."""
    mail = f"({{'body': {template!r}}}, {{'v': Decimal('1E+1000000')}})"
    assert render_limited(mail).startswith("rendered")


@pytest.mark.parametrize("argument", ["to", "cc", "subject", "html", "thread", "from_"])
def test_every_argument_is_bounded(argument: str) -> None:
    """A name of 30 MB makes no message; a subject shows the first 500 characters of a value."""
    mail = (
        f"({{'body': 'b', {argument!r}: '{{{{ v }}}} <a@x.example>'}}, {{'v': 'x' * 30_000_000}})"
    )
    told = render_limited(mail)
    assert told.startswith("rendered" if argument == "subject" else f"InvalidTemplate {argument}")


SOURCES = {
    "definitions": "'[a]: https://x.example/' + 'y' * 10_000 + '\\n\\n' + '[a]' * 3300",
    "titles": "'[a]: https://x.example \"' + 't' * 10_000 + '\"\\n\\n' + '![b][a]' * 2000",
    "buttons": "'[a](https://b \"btn\") ' * 80_000",
    "lines": "'- a\\n' * 400_000",
    "marks": "'*a* ' * 400_000",
    "addresses": "'https://a ' * 200_000",
    "words": "'word ' * 500_000",
}


@pytest.mark.parametrize("body", SOURCES.values(), ids=SOURCES)
def test_a_body_that_would_explode_is_refused(body: str) -> None:
    """The parser never sees it, or nobody writes what it makes of it."""
    told = render_limited(f"({{'body': {body}}}, {{}})")
    assert told.startswith("MessageTooLarge body: "), told


@pytest.mark.parametrize(
    "html",
    [
        "'<table>' + '<tr><td>x</td><td>y</td></tr>' * 60_000 + '</table>'",
        "'<table><tr><td>' + 'x' * 9999 + '</td></tr>' + '<tr><td>y</td></tr>' * 9999 + '</table>'",
        "'<div>' * 100_000 + 'x'",
        "'<p>word</p>' * 100_000",
        "'<ul><li>x' * 100_000",
    ],
    ids=["many cells", "a long cell", "nested", "paragraphs", "nested lists"],
)
def test_the_text_of_html_is_derived_in_time(html: str) -> None:
    """Tables are not padded, and nesting is no RecursionError."""
    assert render_limited(f"({{'body': '', 'html': {html}}}, {{}})").startswith("rendered")


@pytest.mark.parametrize("body", ["*a **a " * 123, "~~a *a" * 5000, "**a" * 3000 + "**" * 3000])
def test_deep_emphasis_shows_as_typed(body: str) -> None:
    """It is no RecursionError, and no word of it is lost."""
    assert render(body).text.count("a") == body.count("a")


def test_the_end_of_a_long_address_is_found_in_time() -> None:
    """What closes no bracket of it is not counted anew for each."""
    told = render_limited("({'body': 'https://a' + ')' * 1_000_000}, {})")
    assert told.startswith("rendered")


def test_the_bound_is_a_setting() -> None:
    """A larger body is a matter of the setting, which the error names."""
    body = "word " * 500_000
    with pytest.raises(
        MessageTooLarge, match=r"^body: has 2,500,000 bytes, .*`max_text_megabytes`"
    ):
        render(body)
    assert len(render(body, max_bytes=3_000_000).text) > 2_400_000
