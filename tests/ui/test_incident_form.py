"""An incident is told from the UI: the form of a deployment, as a person fills it in."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.utilities.callables import parameter_schema

from prefect_smtp_relay.flows.incidents.notification import notify_stakeholders

from .interfaces import V2, Interface

STAKEHOLDERS = ["ann@example.org"]


@pytest.mark.parametrize("ui", [V2], indirect=True, ids=["V2"])
def test_the_form_of_an_incident_needs_a_number_and_a_title(
    ui: Interface, client: SyncPrefectClient
) -> None:
    """What is left out is left out, and every field is drawn as what it takes."""
    deployment_id = client.create_deployment(
        flow_id=client.create_flow(notify_stakeholders),
        name="stakeholders",
        parameters={"stakeholders": STAKEHOLDERS},
        parameter_openapi_schema=parameter_schema(notify_stakeholders).model_dump_for_openapi(),
    )
    ui.open_run_form(str(deployment_id))
    expect(ui.page.get_by_text("What is wrong, in a few words.")).to_be_visible()
    expect(ui.page.get_by_text("Property is type")).to_have_count(0)
    ui.fill_in({"Number": "42", "Title": "Checkout is slow"})
    ui.start_run()
    this = DeploymentFilter(id=DeploymentFilterId(any_=[deployment_id]))
    (run,) = client.read_flow_runs(deployment_filter=this)
    incident = run.parameters["incident"]
    assert (incident["number"], incident["title"]) == (42, "Checkout is slow")
    assert not {"url", "started_at", "next_update_at"} & set(incident)
    assert run.parameters["stakeholders"] == STAKEHOLDERS
