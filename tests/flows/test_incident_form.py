"""The form that Prefect's UI draws for an incident."""

from __future__ import annotations

from typing import Any

from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import validate

from prefect_smtp_relay.flows.incidents.incident import Incident
from prefect_smtp_relay.flows.incidents.notification import notify_stakeholders


def _schema() -> dict[str, Any]:
    return parameter_schema(notify_stakeholders).model_dump_for_openapi()


def test_every_field_has_a_title_and_help_and_one_kind() -> None:
    """A field that may be left out is drawn as what it takes, and not as a choice of it or None."""
    schema = _schema()
    parts = [schema, *schema["definitions"].values()]
    fields = {name: field for part in parts for name, field in part["properties"].items()}
    assert {"incident", "stakeholders", "started_at", "url", "label", "at"} < set(fields)
    for name, field in fields.items():
        assert {"title", "description"} < set(field), name
        assert "anyOf" not in field, name


def test_what_is_left_out_is_accepted_however_it_is_left_out() -> None:
    """The form leaves it out, an API client sends null, and a cleared field is an empty text."""
    values: list[dict[str, Any]] = [{}, {"url": None, "started_at": None}]
    for left_out in values:
        incident = {"number": 42, "title": "Checkout is slow", **left_out}
        assert not validate({"incident": incident, "stakeholders": ["ann@example.org"]}, _schema())
    assert Incident.model_validate({"number": 42, "title": "t", "url": "", "started_at": ""}) == (
        Incident(number=42, title="t")
    )
