"""``init`` where the API answers: what it cannot do is named, with what to change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient

RunCli = Callable[..., Any]
_CHECK = "deployment_id: check-relay/check-relay"


@pytest.fixture(autouse=True)
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: SyncPrefectClient
) -> Iterator[Path]:
    """An empty directory; what is set up at the API is deleted in the end."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for automation in client.request("POST", "/automations/filter", json={}).json():
        client.request("DELETE", "/automations/{id}", path_params={"id": automation["id"]})
    for deployment in client.read_deployments():
        client.delete_deployment(deployment.id)
    for pool in client.read_work_pools():
        client.delete_work_pool(pool.name)


@pytest.mark.parametrize("name", ["mail/eu", "Prefect mail"])
def test_a_pool_that_prefect_does_not_create(run_cli: RunCli, name: str) -> None:
    """It is the name that is wrong, not the API's address or key; another one is taken."""
    run = run_cli("init", "--pool", name)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"--pool: Prefect creates no work pool named '{name}'.")
    assert "work pool    mail eu: created" in run_cli("init", "--pool", "mail eu").out


def test_an_id_in_place_of_a_name(
    run_cli: RunCli, project: Path, client: SyncPrefectClient
) -> None:
    """The file may have ids, which Prefect's own command wants; a wrong name is left out."""
    run_cli("init")
    deployment = client.read_deployment_by_name("check-relay/check-relay")
    file = project / "automations.yaml"
    named = file.read_text("utf-8")
    file.write_text(named.replace(_CHECK, f"deployment_id: {deployment.id}"), "utf-8")
    assert "Check a relay when its block is saved: unchanged" in run_cli("init").out
    file.write_text(named.replace(_CHECK, "deployment_id: check-relay"), "utf-8")
    run = run_cli("init")
    assert run.code == 0
    assert "is saved: left out: check-relay does not exist" in " ".join(run.out.split())


def test_a_webhook_that_is_not_there(run_cli: RunCli) -> None:
    """Whoever asks for it must not believe that it is set up."""
    run = run_cli("init", "--webhook", "chat")
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("--webhook: there is no Webhook block named 'chat'.")
