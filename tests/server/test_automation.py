"""An automation sends mail from within the server, and says why where it could not."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import pytest
from prefect.automations import Automation
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State, StateType

from prefect_smtp_relay.testing.mail_server import MailServer
from tests.failure_mails import FAILING_FLOW, connect, mail_on_failure
from tests.prefect_server import PrefectServer

WaitFor = Callable[[Callable[[], Any]], Any]


def fail_a_flow_run(client: SyncPrefectClient) -> None:
    """Let a flow run fail, as far as the server can tell."""
    flow_id = client.create_flow_from_name("import")
    created = client.request("POST", "/flow_runs/", json={"flow_id": str(flow_id)}).json()
    failed = State(type=StateType.FAILED, message="no more rows")
    client.set_flow_run_state(UUID(created["id"]), failed, force=True)


def events(client: SyncPrefectClient, name: str) -> list[dict[str, Any]]:
    """The events of this name that the server has kept."""
    query = {"filter": {"event": {"name": [name]}}}
    found: list[dict[str, Any]] = client.request("POST", "/events/filter", json=query).json()[
        "events"
    ]
    return found


def failures(client: SyncPrefectClient, automation: Automation) -> list[dict[str, Any]]:
    """What is told about the failed actions of an automation."""
    failed = events(client, "prefect.automation.action.failed")
    own = f"prefect.automation.{automation.id}"
    return [event["payload"] for event in failed if event["resource"]["prefect.resource.id"] == own]


def test_a_failed_flow_run_is_mailed_by_the_server_itself(
    server: PrefectServer,
    client: SyncPrefectClient,
    mail_server: MailServer,
    wait_for: WaitFor,
) -> None:
    """The mail goes through the connected relay, which has limits, and no process is started."""
    connect(mail_server.host, mail_server.port, messages_per_minute=60, max_connections=2)
    mail_on_failure()
    before = server.child_processes()
    subprocess.run(  # noqa: S603  # our own interpreter, fixed arguments
        [sys.executable, "-c", FAILING_FLOW], env=server.client_environment, check=True, timeout=120
    )
    assert wait_for(lambda: mail_server.mails), server.output.read_text()
    (mail,) = mail_server.mails
    assert mail.forward_paths == ("ann@example.org", "boss@example.org")
    assert mail.message["Subject"] == "[x] import failed"
    plain = mail.message.get_body(("plain",))
    assert plain is not None
    lines = plain.get_content().splitlines()
    assert lines[0] == "import is Failed."
    assert lines[1].endswith("ValueError: no more rows")
    told = wait_for(lambda: events(client, "prefect-smtp-relay.email.accepted"))
    assert told[-1]["payload"]["relay"] == "smtp/mx"
    assert wait_for(lambda: events(client, "prefect.automation.action.executed"))
    rows = {row.name: row.active_slots for row in client.read_global_concurrency_limits()}
    assert rows["smtp-relay.smtp.mx.connections"] == 0
    assert "smtp-relay.smtp.mx.messages" in rows
    assert server.child_processes() == before
    assert "temporary server" not in server.output.read_text()


def test_a_relay_that_is_down_fails_the_action_with_the_reason(
    server: PrefectServer,
    client: SyncPrefectClient,
    wait_for: WaitFor,
) -> None:
    """The failed action says which relay, what to check, and where the mail is stored."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    connect("127.0.0.1", port)
    automation, _ = mail_on_failure()
    fail_a_flow_run(client)
    told = wait_for(lambda: failures(client, automation))
    assert told, server.output.read_text()
    reason = told[0]["notification_log"]
    assert f"smtp://127.0.0.1:{port}" in reason
    assert "prefect-smtp-relay outbox flush" in reason
    (stored,) = server.outbox.glob("*.eml")
    assert str(stored) in reason
    stored.unlink()


def test_a_block_that_the_ui_saved_wrong_fails_the_action_with_its_field(
    server: PrefectServer, client: SyncPrefectClient, wait_for: WaitFor
) -> None:
    """The UI runs none of our checks, so the failed action names the field and the fix."""
    automation, block_id = mail_on_failure()
    wrong = {"data": {"to": "bob"}, "merge_existing_data": True}
    path = {"id": block_id}
    client.request("PATCH", "/block_documents/{id}", path_params=path, json=wrong)
    fail_a_flow_run(client)
    told = wait_for(lambda: failures(client, automation))
    assert told, server.output.read_text()
    assert "to\n  Value error, 'bob' is not an e-mail address" in told[0]["reason"]


class HeldServer:
    """Stands before a mail server, and holds every connection back until it is let go."""

    def __init__(self, target: MailServer) -> None:
        self._target = (target.host, target.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.connected, self.let_go = threading.Event(), threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self.let_go.set()
        self._listening.close()

    def _serve(self) -> None:
        accepted, _ = self._listening.accept()
        self.connected.set()
        self.let_go.wait()
        onward = socket.create_connection(self._target)
        for source, sink in ((accepted, onward), (onward, accepted)):
            threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        while octets := source.recv(65536):
            sink.sendall(octets)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def held_server(mail_server: MailServer) -> Iterator[HeldServer]:
    """A relay that does not greet until the test says so."""
    with closing(HeldServer(mail_server)) as held:
        yield held


def test_a_slow_relay_does_not_block_the_server(
    server: PrefectServer,
    client: SyncPrefectClient,
    mail_server: MailServer,
    held_server: HeldServer,
    wait_for: WaitFor,
) -> None:
    """The API answers while the relay keeps an automation waiting for its greeting."""
    connect("127.0.0.1", held_server.port)
    mail_on_failure()
    fail_a_flow_run(client)
    assert held_server.connected.wait(60), server.output.read_text()
    assert server.is_healthy()
    assert mail_server.mails == []
    held_server.let_go.set()
    assert len(wait_for(lambda: mail_server.mails)) == 1
