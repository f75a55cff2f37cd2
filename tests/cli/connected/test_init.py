"""What ``init`` sets up at the Prefect API, and what it leaves alone the next time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient

RunCli = Callable[..., Any]
_PARTS = ("pools", "deployments", "automations")
_DIGEST = "failed-runs-digest/every-morning"
_INCIDENT = "flow-run-incident/by-automation"
_MAIL_FAILED, _FLUSH = (
    "Mail what made a flow run fail",
    "Flush the outbox when a relay accepts mail again",
)


@pytest.fixture(autouse=True)
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: SyncPrefectClient
) -> Iterator[Path]:
    """Work in an empty directory; delete in the end what other tests would meet."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield folder
    for deployment in client.read_deployments():
        client.delete_deployment(deployment.id)
    for automation in client.request("POST", "/automations/filter", json={}).json():
        client.request("DELETE", "/automations/{id}", path_params={"id": automation["id"]})
    for pool in client.read_work_pools():
        client.delete_work_pool(pool.name)


@pytest.fixture
def init(run_cli: RunCli) -> Callable[..., dict[str, str]]:
    """Run ``init``; give what was done with each part."""

    def run(*words: str) -> dict[str, str]:
        document = json.loads(run_cli("init", "--json", *words).out)
        return {name: state for part in _PARTS for name, state in document[part].items()}

    return run


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_everything_is_set_up(run_cli: RunCli, client: SyncPrefectClient) -> None:
    """What is new is said, and what to do next; without recipients nobody is mailed."""
    run = run_cli("init")
    assert run.code == 0
    assert "block types  SMTP, SendGrid, Notification by Email" in run.out
    assert "work pool    default-process: created" in run.out
    assert "deployment   check-relay/check-relay: created" in run.out
    assert f"{_MAIL_FAILED}: left out: {_INCIDENT} does not exist" in run.out
    assert "prefect worker start --pool default-process" in run.out
    assert "init --recipient oncall@example.org" in run.out
    check = client.read_deployment_by_name("check-relay/check-relay")
    assert check.entrypoint == "prefect_smtp_relay.flows.check_relay.check_relay"
    assert (check.pull_steps, check.work_pool_name) == ([], "default-process")
    assert client.read_work_pool("default-process").type == "process"


def test_a_second_run_changes_nothing(
    run_cli: RunCli, init: Callable[..., dict[str, str]], client: SyncPrefectClient
) -> None:
    """What somebody paused or switched off in Prefect stays so."""
    init("--recipient", "oncall@example.org")
    digest = client.read_deployment_by_name(_DIGEST)
    client.update_deployment_schedule(digest.id, digest.schedules[0].id, active=False)
    [automation] = client.read_automations_by_name(_MAIL_FAILED)
    client.pause_automation(automation.id)
    assert set(init().values()) == {"unchanged"}
    assert "Nothing has changed.\n" in run_cli("init").out
    assert not client.read_deployment_by_name(_DIGEST).schedules[0].active
    assert not client.read_automations_by_name(_MAIL_FAILED)[0].enabled


def test_what_was_edited_is_brought_up_to_date(
    init: Callable[..., dict[str, str]], project: Path, client: SyncPrefectClient
) -> None:
    """A changed line changes one deployment or automation, in place; what was paused stays so."""
    init("--recipient", "oncall@example.org")
    digest = client.read_deployment_by_name(_DIGEST)
    client.update_deployment_schedule(digest.id, digest.schedules[0].id, active=False)
    _edit(project / "prefect.yaml", "log_lines: 10", "log_lines: 11")
    _edit(project / "prefect.yaml", "cron: 0 7 * * *", "cron: 0 8 * * *")
    _edit(project / "automations.yaml", "within: 604800", "within: 3600")
    done = init()
    changed = [name for name, state in done.items() if state == "updated"]
    assert changed == [_DIGEST, _INCIDENT, _FLUSH]
    assert client.read_deployment_by_name(_INCIDENT).parameters["log_lines"] == 11
    [schedule] = client.read_deployment_by_name(_DIGEST).schedules
    assert (schedule.active, schedule.schedule.model_dump()["cron"]) == (False, "0 8 * * *")


def test_the_webhook_is_looked_up(run_cli: RunCli, init: Callable[..., dict[str, str]]) -> None:
    """Whoever names one that is not there must not believe that it is set up."""
    run = run_cli("init", "--webhook", "chat")
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("--webhook: there is no Webhook block named 'chat'.")
    Webhook(url="http://127.0.0.1:9/", allow_private_urls=True).save("chat")
    assert init("--webhook", "chat")["Call a webhook when mail is only stored"] == "created"


@pytest.mark.parametrize("name", ["mail/eu", "Prefect mail"])
def test_a_pool_that_prefect_does_not_create(
    run_cli: RunCli, init: Callable[..., dict[str, str]], name: str
) -> None:
    """It is the name that is wrong, not the API's address or key; another one is taken."""
    run = run_cli("init", "--pool", name)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"--pool: Prefect creates no work pool named '{name}'.")
    assert init("--pool", "mail eu")["mail eu"] == "created"


def test_an_automation_may_have_ids(
    init: Callable[..., dict[str, str]], project: Path, client: SyncPrefectClient
) -> None:
    """Prefect's own command wants them in place of names; a wrong name is left out."""
    init()
    name, check = "check-relay/check-relay", "Check a relay when its block is saved"
    found = client.read_deployment_by_name(name).id
    _edit(project / "automations.yaml", f"deployment_id: {name}", f"deployment_id: {found}")
    assert init()[check] == "unchanged"
    _edit(project / "automations.yaml", f"deployment_id: {found}", "deployment_id: check-relay")
    assert init()[check] == "left out: check-relay does not exist"


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "prefect.yaml",
            "flows.check_relay.check_relay",
            "flows.check_relay.other",
            "prefect.yaml: check-relay: there is no flow prefect_smtp_relay.flows.check_relay.o",
        ),
        (
            "automations.yaml",
            "posture: Reactive",
            "posture: Relaxed",
            "automations.yaml: Check a relay when its block is saved: trigger",
        ),
    ],
    ids=["flow", "automation"],
)
def test_what_cannot_be_set_up_is_named(
    run_cli: RunCli, project: Path, file: str, old: str, new: str, told: str
) -> None:
    """The file, the entry and the field."""
    run_cli("init")
    _edit(project / file, old, new)
    run = run_cli("init")
    assert run.code == 2
    assert run.err.startswith(told)
