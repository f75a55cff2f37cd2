"""The errors of templates name the field, the line, and what to change."""

from __future__ import annotations

import pytest

from prefect_smtp_relay.exceptions import InvalidTemplate

from .filling import fill

CONTEXT = {"incident": {"title": "t", "owner": None, "number": 42, "tags": ["a"]}, "url": "u"}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "{{ incidnt.title }}",
            "body, line 1: 'incidnt' is not in the context. Did you mean 'incident'?",
        ),
        ("a\n\n{{ x }}", "body, line 3: 'x' is not in the context. There are: incident, url."),
        (
            "{{ incident.titel }}",
            "body, line 1: 'incident.titel' is not in the context. Did you mean 'incident.title'?",
        ),
        (
            "{{ incident['x'] }}",
            "body, line 1: 'incident.x' is not in the context. There are: number, owner, tags,"
            " title.",
        ),
        ("{{ incident.tags[3] }}", "body, line 1: a list has no 3 in templates."),
        ("{{ incident.owner.name }}", "body, line 1: 'name' is asked of an empty value."),
        ("{{ incident.number.name }}", "body, line 1: a number has no 'name' in templates."),
        ("{% if incident.x %}{% endif %}", "body, line 1: 'incident.x' is not in the context."),
        ("{% for a in incident.x %}{% endfor %}", "body, line 1: 'incident.x' is not in the"),
        ("{{ [incident] | map(attribute='x') | join }}", "body, line 1: 'incident.x' is not in"),
        ("\n{{ 1 / 0 }}", "body, line 2: cannot be computed: division by zero"),
        ("{{ 1 + 'a' }}", "body, line 1: cannot be computed: unsupported operand"),
        ("{{ incident", "body, line 1: unexpected end of template"),
        ("a\n{% if %}", "body, line 2: Expected an expression"),
        ("{{ url | lowr }}", "body, line 1: there is no filter 'lowr'. There are: abs, batch,"),
        (
            "{{ url | safe }}",
            "body, line 1: values are escaped for their place already. Remove | safe.",
        ),
        (
            "{% include 'x' %}",
            "body, line 1: {% include %} is not offered in mails.",
        ),
    ],
)
def test_a_template_that_cannot_be_filled_in(body: str, text: str) -> None:
    """The text says where, what, and what there is instead."""
    with pytest.raises(InvalidTemplate) as caught:
        fill(body=body, context=CONTEXT)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("field", ["subject", "preheader", "html", "text"])
def test_the_field_is_named(field: str) -> None:
    """Each text of a mail has its own name in the error."""
    with pytest.raises(InvalidTemplate, match=f"^{field}, line 1: 'x' is not in the context"):
        fill(**{field: "{{ x }}"})


@pytest.mark.parametrize(
    "body", ["{{ x | default('none') }}", "{{ x if x is defined else 'none' }}"]
)
def test_what_may_be_missing_can_be_said(body: str) -> None:
    """`default` and `is defined` are how a template permits a missing variable."""
    assert fill(subject=body).subject == "none"
