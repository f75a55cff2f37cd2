"""A flood of failures, of which an automation mails the first and counts the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.automations import Automation
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State, StateType
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import EventTrigger

from prefect_smtp_relay import SMTP, SendAnEmail
from prefect_smtp_relay.flows.send_grouped import send_grouped
from prefect_smtp_relay.notifications.grouping.group import Group
from prefect_smtp_relay.notifications.grouping.kind import PREFIX
from prefect_smtp_relay.notifications.grouping.sending import send_waiting
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.mails import text_of
from tests.prefect_server import PrefectServer

WaitFor = Callable[[Callable[[], Any]], Any]
_BODY = "{{ flow_run.id }} is {{ flow_run.state.name }}.\nMessage: {{ flow_run.state.message }}"


def mail_on_failure() -> None:
    """Let an automation mail each failed flow run, in groups."""
    block = SendAnEmail(to="ann@example.org", bcc="boss@example.org", group_within="15m")
    block_id = block.save("on-call")
    assert isinstance(block_id, UUID)
    Automation(
        name="Mail each failure",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Failed"},
            match={"prefect.resource.id": "prefect.flow-run.*"},
        ),
        actions=[SendNotification(block_document_id=block_id, subject="Failed", body=_BODY)],
    ).create()


def fail(client: SyncPrefectClient, message: str) -> None:
    """Let a flow run fail, as far as the server can tell."""
    flow_id = client.create_flow_from_name("import")
    created = client.request("POST", "/flow_runs/", json={"flow_id": str(flow_id)}).json()
    failed = State(type=StateType.FAILED, message=message)
    client.set_flow_run_state(UUID(created["id"]), failed, force=True)


def counted() -> int:
    """How many failures wait to be told."""
    return sum(len(group.runs) for group in Group.read_all(PREFIX).values())


def test_an_automation_counts_what_is_like_what_it_mailed(
    server: PrefectServer,
    client: SyncPrefectClient,
    mail_server: MailServer,
    wait_for: WaitFor,
) -> None:
    """The server itself counts, by the run that the text names; who sends loads the block."""
    SMTP(
        address=mail_server.host, port=mail_server.port, ssl=False, from_address="ops@example.org"
    ).save("mx")
    client.create_deployment(flow_id=client.create_flow(send_grouped), name="grouped")
    mail_on_failure()
    fail(client, "page 1 is gone")
    assert wait_for(lambda: mail_server.mails and not counted()), server.output.read_text()
    for page in (2, 3):
        fail(client, f"page {page} is gone")
    fail(client, "no rows")
    assert wait_for(lambda: counted() == 2 and len(mail_server.mails) == 2)
    later = datetime.now(UTC) + timedelta(minutes=16)
    assert [sent.count for sent in send_waiting(now=later)] == [2]
    first, _, summary = mail_server.mails
    assert summary.forward_paths == ("ann@example.org", "boss@example.org")
    assert summary.message["References"] == first.message["References"]
    assert "import failed 2 more times" in text_of(summary)
    assert "temporary server" not in server.output.read_text()
