"""A deployment that sends summaries, a connected relay, and flows that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun

from prefect_smtp_relay import SMTP, email_on_failure
from prefect_smtp_relay.flows.send_grouped import send_grouped
from prefect_smtp_relay.notifications.grouping import variables
from prefect_smtp_relay.notifications.grouping.kind import PREFIX
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.clock import FastClock


@pytest.fixture(autouse=True)
def no_pauses(fast_clock: FastClock) -> None:
    """Try again at once."""
    del fast_clock


@pytest.fixture(autouse=True)
def nothing_counted(client: SyncPrefectClient) -> None:
    """Forget what other tests have counted."""
    del client
    for variable in variables.read_all(PREFIX):
        variables.delete(variable)


@pytest.fixture
def deployed(client: SyncPrefectClient) -> Iterator[Callable[[], list[FlowRun]]]:
    """Deploy the flow; return the runs of it that are scheduled."""
    flow_id = client.create_flow(send_grouped)
    deployment = client.create_deployment(flow_id=flow_id, name="grouped")
    yield lambda: [run for run in client.read_flow_runs() if run.deployment_id == deployment]
    client.delete_deployment(deployment)


@pytest.fixture
def connected(mail_server: MailServer) -> MailServer:
    """Connect the mail server as the preferred relay."""
    SMTP(
        address=mail_server.host, port=mail_server.port, ssl=False, from_address="ops@example.org"
    ).save("main")
    return mail_server


@pytest.fixture
def fail() -> Callable[..., None]:
    """Run a flow that fails, with a hook that groups."""

    def run(message: str, to: str = "ann@example.org", **hook: Any) -> None:
        options = {"group_within": "15m", "log_lines": 0, **hook}

        @flow(name="Nightly import", on_failure=[email_on_failure(to, **options)])
        def nightly() -> None:
            raise ValueError(message)

        nightly(return_state=True)

    return run
