"""The fields of the SendGrid block."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from prefect_smtp_relay import SendGrid


@pytest.mark.parametrize(
    ("values", "field", "fix"),
    [
        ({}, "api_key", "Create a key"),
        ({"api_key": None}, "api_key", "Create a key"),
        ({"api_key": "SG.a b"}, "api_key", "Paste it again"),
        ({"api_key": "********"}, "api_key", "Enter it again"),
        ({"api_key": "SG.x", "from_address": "ann"}, "from_address", "has no @"),
        ({"api_key": "SG.x", "api_url": "api.sendgrid.com"}, "api_url", "https://api.sendgrid.com"),
        ({"api_key": "SG.x", "api_url": "http://api.sendgrid.com"}, "api_url", "unencrypted"),
        ({"api_key": "SG.x", "api_url": "https://u:p@api.sendgrid.com"}, "api_url", "credentials"),
        ({"api_key": "SG.x", "api_url": "https://api.sendgrid.com/v3"}, "api_url", "base address"),
        ({"api_key": "SG.x", "api_url": "https://api.sendgrid.com#v3"}, "api_url", "base address"),
        ({"api_key": "SG.x", "api_url": "https://api.send grid.com"}, "api_url", "base address"),
        ({"api_key": "SG.x", "api_url": "https://h.example:99999"}, "api_url", "base address"),
        ({"api_key": "SG.x", "categories": ["c"] * 11}, "categories", "up to 10"),
        ({"api_key": "SG.x", "categories": ["c", "c"]}, "categories", "'c' is there twice"),
        (
            {"api_key": "SG.x", "categories": ["c", " "]},
            "categories",
            "empty. Remove it",
        ),
        ({"api_key": "SG.x", "categories": ["x" * 256]}, "categories", "up to 255"),
        ({"api_key": "SG.x", "categories": ["Störung"]}, "categories", "printable ASCII"),
        ({"api_key": "SG.x", "apikey": "SG.y"}, "apikey", "Did you mean 'api_key'?"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_field_and_fix(
    values: dict[str, Any], field: str, fix: str
) -> None:
    """Each wrong value is refused in a text with the field and what to write instead."""
    with pytest.raises(ValidationError) as caught:
        SendGrid(**values)
    assert field in str(caught.value)
    assert fix in str(caught.value)


@pytest.mark.parametrize("blank", ["", "  ", None])
@pytest.mark.parametrize("field", [name for name in SendGrid.model_fields if name != "api_key"])
def test_blank_none_and_missing_are_the_same(field: str, blank: str | None) -> None:
    """A field that the form or an API client leaves blank has its default."""
    assert SendGrid(api_key="SG.x", **{field: blank}) == SendGrid(api_key="SG.x")


@pytest.mark.parametrize(
    "url", ["https://api.eu.sendgrid.com/", "http://127.0.0.1:8080", "http://localhost:8080"]
)
def test_https_is_needed_except_to_this_host(url: str) -> None:
    """An EU account's URL and a local server's both pass, without a final slash."""
    assert SendGrid(api_key="SG.x", api_url=url).api_url == url.rstrip("/")


def test_categories_are_written_without_blanks_around_them() -> None:
    """What a form or a variable brings along is no part of a label."""
    assert SendGrid(api_key="SG.x", categories=[" incident", "night "]).categories == [
        "incident",
        "night",
    ]


def test_a_key_of_another_shape_is_taken() -> None:
    """Only SendGrid knows what its keys look like: a hint comes where it refuses one."""
    assert SendGrid(api_key="another.key").get_config().api_key.get_secret_value() == "another.key"
