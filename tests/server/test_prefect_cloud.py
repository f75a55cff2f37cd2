"""docs/how-to/prefect-cloud.md, as far as a server of our own has the same API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient

from prefect_smtp_relay.testing.mail_server import MailServer
from tests.docs_run.reader import run_shell
from tests.failure_mails import FAILING_FLOW, connect
from tests.pages import page
from tests.prefect_server import PrefectServer

_PAGE = page("how-to/prefect-cloud")

WaitFor = Callable[[Callable[[], Any]], Any]


@pytest.mark.parametrize("server", ["default"], indirect=True)
def test_an_automation_runs_a_deployment_whose_worker_mails(
    server: PrefectServer,
    client: SyncPrefectClient,
    mail_server: MailServer,
    wait_for: WaitFor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the page's command sets up mails what made a run fail, and the server does not."""
    monkeypatch.chdir(tmp_path)
    connect(mail_server.host, mail_server.port)
    (set_up,) = (block.code for block in _PAGE.blocks("bash"))
    assert "smtp/mx  takes the next mail" in run_shell(set_up, server.client_environment)
    tmp_path.joinpath("flow.py").write_text(FAILING_FLOW, encoding="ascii")
    run_shell("python flow.py", server.client_environment)
    asked = {"flows": {"name": {"any_": ["flow-run-incident"]}}}
    assert wait_for(lambda: client.request("POST", "/flow_runs/filter", json=asked).json())
    worker = "prefect worker start --pool default-process --run-once"
    run_shell(worker, server.client_environment)
    [mail] = mail_server.mails
    assert mail.forward_paths == ("oncall@example.org",)
    assert "no more rows" in mail.message.as_string()
