"""What ``init`` deploys does its work, by worker, schedule and automation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest
from prefect import flow
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import FlowRun
from pydantic import SecretStr

from prefect_smtp_relay import SMTP, email_on_failure, send_an_email
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp.check import STEPS
from tests.deployments.conftest import delete_automations
from tests.deployments.workspace import Workspace, wait_for
from tests.flows.artifacts import artifacts_of
from tests.mails import text_of

FLOWS = {
    "check-relay/check-relay",
    "send-test-mail/send-test-mail",
    "relay-status/relay-status",
    "incident-notification/stakeholders",
    "incident-reminder/every-15-minutes",
    "failed-runs-digest/every-morning",
    "flow-run-incident/by-automation",
    "flush-outbox/flush-outbox",
    "queue-delayed-again/queue-delayed-again",
    "send-grouped/send-grouped",
}

STORE_AND_SEND = """
import sys
from prefect import flow
from prefect_smtp_relay import email_on_failure, send_an_email

@flow
def store_and_send(number):
    send_an_email("ann@example.org", f"waited {number}", "b", relay="outbox")
    send_an_email("ann@example.org", f"accepted {number}", "b")

store_and_send(sys.argv[1])
"""


@pytest.fixture
def automations(workspace: Workspace, client: SyncPrefectClient) -> Iterator[SyncPrefectClient]:
    """Create the automations; delete them in the end, so that no other test meets them."""
    workspace.init()
    yield client
    for document in client.read_block_documents_by_type("webhook"):
        client.delete_block_document(document.id)
    delete_automations()


def runs_of(client: SyncPrefectClient, name: str, state: str = "") -> list[FlowRun]:
    """The runs of a flow, all or those in a state."""
    runs = client.read_flow_runs(flow_filter=FlowFilter(name=FlowFilterName(any_=[name])))
    return [run for run in runs if not state or run.state_name == state]


def test_all_flows_are_deployed(workspace: Workspace, client: SyncPrefectClient) -> None:
    """One command deploys each flow, with its schedule and a form, from no checkout."""
    del workspace
    deployed = {
        f"{client.read_flow(found.flow_id).name}/{found.name}": found
        for found in client.read_deployments()
    }
    assert set(deployed) >= FLOWS
    cron = deployed["failed-runs-digest/every-morning"].schedules[0]
    interval = deployed["incident-reminder/every-15-minutes"].schedules[0]
    assert (cron.active, cron.schedule.model_dump()["cron"]) == (True, "0 7 * * *")
    assert (interval.active, interval.schedule.model_dump()["interval"].seconds) == (False, 900)
    form = deployed["incident-notification/stakeholders"].parameter_openapi_schema
    assert form is not None
    assert "severity" in form["definitions"]["Incident"]["properties"]


def test_prefects_own_command_deploys_the_same(
    workspace: Workspace, client: SyncPrefectClient
) -> None:
    """``prefect deploy --all`` takes the file, and adds neither deployments nor schedules."""
    before = {found.id: len(found.schedules) for found in client.read_deployments()}
    workspace.prefect("deploy", "--all", "--prefect-file", "mail/prefect.yaml")
    assert {found.id: len(found.schedules) for found in client.read_deployments()} == before
    done = workspace.init()
    assert {*done["deployments"].values()} == {"unchanged"}
    delete_automations()


def test_an_incident_from_the_form_is_mailed(workspace: Workspace) -> None:
    """A run with an incident as its parameter, as the UI starts it, mails the stakeholders."""
    incident = {"number": 7, "title": "Login is slow", "severity": "SEV2"}
    parameters = json.dumps({"incident": incident, "event": "mitigated"})
    workspace.prefect(
        "deployment", "run", "incident-notification/stakeholders", "--params", parameters
    )
    mail = workspace.mail(lambda subject: subject == "INC-7: Login is slow")
    assert mail.forward_paths == ("oncall@example.org",)


def test_a_failed_run_is_mailed_by_the_automation(
    workspace: Workspace, automations: SyncPrefectClient
) -> None:
    """Failed run, automation, deployment, worker, mail; a mail that fails asks for no other."""
    unknown = "flow_run_id=00000000-0000-0000-0000-000000000000"
    workspace.prefect("deployment", "run", "flow-run-incident/by-automation", "--param", unknown)
    wait_for(lambda: runs_of(automations, "flow-run-incident", "Failed"))
    workspace.prefect("deployment", "run", "broken/test", "--param", "api_key=canary-0b5e")
    mail = workspace.mail(lambda subject: subject.startswith("Failed: flow broken ("))
    text = text_of(mail)
    assert "the reactor is too hot" in text
    assert "Calling with" in text
    assert "canary-0b5e" not in text
    assert len(runs_of(automations, "flow-run-incident")) == 2


def test_a_saved_block_is_checked(workspace: Workspace, automations: SyncPrefectClient) -> None:
    """One run for each time, with every step in its artifact; a wrong password makes it red."""
    del workspace
    with MailServer(users={"ann": "right-2b7e"}, auth_in_cleartext=True) as server:
        block = SMTP(
            address=server.host,
            port=server.port,
            ssl=False,
            username=SecretStr("ann"),
            password=SecretStr("right-2b7e"),
            from_address="ops@example.org",
        )
        block.save("new")
        [run] = wait_for(lambda: runs_of(automations, "check-relay", "Completed"))
        assert (run.name, run.parameters) == ("check smtp/new", {"relay": "smtp/new"})
        [artifact] = artifacts_of(automations, run.id)
        assert all(f"| {step} |" in artifact["data"].replace("\\", "") for step in STEPS)
        block.password = SecretStr("wrong-9d2c")
        block.save("new", overwrite=True)
        [run] = wait_for(lambda: runs_of(automations, "check-relay", "Failed"))
    told = str(run.state and run.state.message)
    assert told.startswith("smtp/new: login: the server answered 535 5.7.8 ")
    assert "*Password* (`password`)" in told
    assert "wrong-9d2c" not in told
    assert len(runs_of(automations, "check-relay")) == 2
    automations.delete_block_document(automations.read_block_document_by_name("new", "smtp").id)


def test_prefects_own_command_creates_the_automations(
    workspace: Workspace, automations: SyncPrefectClient
) -> None:
    """With ids in place of the names, ``prefect automation create --from-file`` takes the file."""
    text = (workspace.files / "automations.yaml").read_text("utf-8")
    for name in (
        "check-relay/check-relay",
        "flow-run-incident/by-automation",
        "flush-outbox/flush-outbox",
    ):
        text = text.replace(f"id: {name}", f"id: {automations.read_deployment_by_name(name).id}")
    text = text.replace("webhook/mail-was-stored", "00000000-0000-0000-0000-000000000000")
    (workspace.project / "filled.yaml").write_text(text, "utf-8")
    shown = workspace.prefect("automation", "create", "--from-file", "filled.yaml")
    assert "Created 4 automation(s)" in shown


@pytest.fixture
def chat() -> Iterator[tuple[str, Queue[bytes]]]:
    """Run an HTTP server as a chat's webhook: its address, and what it was told."""
    told: Queue[bytes] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", told
        server.shutdown()


def test_a_stored_mail_calls_the_webhook(
    workspace: Workspace,
    automations: SyncPrefectClient,
    chat: tuple[str, Queue[bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The event of a mail that is only stored reaches the block that the automation names."""
    del automations
    address, told = chat
    Webhook(url=address, allow_private_urls=True).save("mail-was-stored", overwrite=True)
    done = workspace.init("--webhook", "mail-was-stored")
    assert done["automations"]["Call a webhook when mail is only stored"] == "created"
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL", str(tmp_path))

    @flow
    def storing() -> str:
        return send_an_email("ann@example.org", "s", "b", relay="outbox").message_id

    message_id = storing()
    assert message_id in json.loads(told.get(timeout=120))["text"]


def test_the_outbox_is_flushed_when_a_relay_accepts_mail_again(
    workspace: Workspace, automations: SyncPrefectClient
) -> None:
    """Stored, then accepted: one run of the flush for each time, and none for its own mails."""
    for count in (1, 2):
        workspace.run("-c", STORE_AND_SEND, str(count))
        workspace.mail(f"waited {count}".__eq__)
        wait_for(partial(_has_flushed, automations, count))
    flush = automations.read_deployment_by_name("flush-outbox/flush-outbox")
    assert flush.global_concurrency_limit
    assert flush.global_concurrency_limit.limit == 1


def _has_flushed(client: SyncPrefectClient, count: int) -> bool:
    """Whether the automation has started so many runs."""
    done = runs_of(client, "flush-outbox", "Completed")
    return [run.parameters for run in done].count({"only_due": False}) == count


def test_a_schedule_fires(workspace: Workspace) -> None:
    """With an interval of some seconds, the deployed reminder mails without anybody's doing."""
    name = "incident-reminder/every-15-minutes"
    workspace.prefect(
        "deployment", "schedule", "create", name, "--interval", "15", "--replace", "-y"
    )
    try:
        mail = workspace.mail(lambda subject: subject.startswith("Still open: "))
    finally:
        workspace.prefect("deployment", "schedule", "clear", name, "-y")
    assert "INC-42" in text_of(mail)


def test_the_crash_of_a_process_is_mailed(workspace: Workspace) -> None:
    """The process is gone; the worker runs the hook."""
    workspace.prefect("deployment", "run", "killed/test")
    mail = workspace.mail(lambda subject: subject == "killed is Crashed")
    assert "SIGKILL" in text_of(mail) or "-9" in text_of(mail)


def test_a_cancelled_run_is_mailed(workspace: Workspace, client: SyncPrefectClient) -> None:
    """``prefect flow-run cancel`` runs the hook of the flow."""
    workspace.prefect("deployment", "run", "slow/test")
    [run] = wait_for(lambda: runs_of(client, "slow", "Running"))
    workspace.prefect("flow-run", "cancel", str(run.id))
    workspace.mail(lambda subject: subject == "slow is Cancelling")


def test_a_worker_sends_what_was_counted(workspace: Workspace, client: SyncPrefectClient) -> None:
    """The first failure schedules a run of the package's own flow, which tells of the others."""

    @flow(name="flood", on_failure=[email_on_failure("ann@example.org", group_within="1s")])
    def failing() -> None:
        raise ValueError("gone")

    failing(return_state=True)
    failing(return_state=True)
    is_summary = "flood failed 1 more time"
    wait_for(lambda: [mail for mail in workspace.mails.mails if is_summary in text_of(mail)])
    assert wait_for(lambda: runs_of(client, "send-grouped", "Completed"))
