"""The block counts too, whether it is saved or not, and whether or not its text names a run."""

from __future__ import annotations

from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, StateType

from prefect_smtp_relay import SendAnEmail
from prefect_smtp_relay.notifications.grouping.sending import send_waiting
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.mails import text_of
from tests.notifications.grouping.failures import in_minutes

pytestmark = pytest.mark.usefixtures("deployed")


@pytest.mark.parametrize("is_saved", [True, False])
def test_texts_that_differ_in_numbers_are_one_kind(
    connected: MailServer, *, is_saved: bool
) -> None:
    """The summary goes to the block's recipients, in the thread of the first mail."""
    block: Any = SendAnEmail(to="ann@example.org", bcc="bob@example.org", group_within="15m")
    if is_saved:
        block.save("on-call")
        block = SendAnEmail.load("on-call")
    for page in range(3):
        block.notify(f"Page {page} is gone", "Import")
    block.notify("No rows", "Import")
    assert len(connected.mails) == 2
    assert [sent.count for sent in send_waiting(now=in_minutes(16))] == [2]
    first, _, summary = connected.mails
    assert "Import: 2 more times" in text_of(summary)
    assert summary.message["Subject"] == first.message["Subject"] == "Import"
    assert summary.message["References"] == first.message["References"]
    assert summary.forward_paths == ("ann@example.org", "bob@example.org")


def test_a_run_that_the_text_names_decides(
    connected: MailServer, client: SyncPrefectClient
) -> None:
    """Its name and address may be in the text: the cause is what its state says."""
    flow_id = client.create_flow_from_name("import")
    block = SendAnEmail(to="ann@example.org", group_within="15m")
    for name, message in (("fox", "gone 1"), ("owl", "gone 2"), ("elk", "refused")):
        state = {"type": StateType.FAILED, "name": "Failed", "message": message}
        fields = {"flow_id": str(flow_id), "name": name, "state": state}
        run = FlowRun.model_validate(client.request("POST", "/flow_runs/", json=fields).json())
        block.notify(f"{name} has failed: http://prefect.test/runs/flow-run/{run.id}", "Failed")
    assert len(connected.mails) == 2
    assert [sent.count for sent in send_waiting(now=in_minutes(16))] == [1]
    assert "import failed 1 more time" in text_of(connected.mails[2])
