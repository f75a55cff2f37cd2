"""The flow that is killed, its deployment, and the automation that lets it run again.

``python -m tests.fleet.deployed PORT`` connects the mail server of that port and deploys the flow.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.automations import Automation
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger
from prefect.runtime import flow_run

from prefect_smtp_relay import SMTP, send_an_email, send_emails

ROOT = Path(__file__).parents[2]
POOL = "fleet"
PID_FILE = "FLEET_PID_FILE"


def recipient(run_id: str, number: int) -> str:
    """To whom the mail of this number goes, and nobody else of any run."""
    return f"n{number}@{run_id}.example.org"


@flow(name="announce")
def announce(count: int, one_by_one: bool) -> None:
    """Send mails with keys, one task run for each, or in one batch."""
    pid_file = Path(os.environ[PID_FILE])
    pid_file.write_text(str(os.getpid()))
    run_id = str(flow_run.id)
    mails: list[dict[str, Any]] = [
        {
            "to": recipient(run_id, n),
            "subject": f"Mail {n}",
            "body": "b",
            "idempotency_key": f"{run_id}/{n}",
        }
        for n in range(count)
    ]
    if one_by_one:
        one = send_an_email.with_options(retry_delay_seconds=1)
        for mail in mails:
            one(**mail)
    else:
        send_emails.with_options(retry_delay_seconds=1)(mails)
    pid_file.unlink(missing_ok=True)


def connect(port: int) -> None:
    """Connect the mail server."""
    SMTP(address="127.0.0.1", port=port, ssl=False, from_address="ops@example.org").save("main")


def deploy(pool: str = POOL) -> None:
    """Deploy the flow for process workers."""
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=pool, type="process"), overwrite=True)
    source = announce.from_source(source=str(ROOT), entrypoint="tests/fleet/deployed.py:announce")
    source.deploy("killed", work_pool_name=pool, ignore_warnings=True, print_next_steps=False)  # type: ignore[union-attr]  # a sync caller gets a flow


def run_again() -> None:
    """Schedule each run that has crashed or failed once more: Prefect does so, by an automation."""
    Automation(
        name="Run again",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Crashed", "prefect.flow-run.Failed"},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            threshold=1,
        ),
        actions=[ChangeFlowRunState(state=StateType.SCHEDULED, name="AwaitingRetry", force=True)],
    ).create()


if __name__ == "__main__":
    connect(int(sys.argv[1]))
    deploy()
    run_again()
