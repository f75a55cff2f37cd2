"""The pages for many workers and for Kubernetes, as far as they run without containers."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.settings import PREFECT_API_URL, PREFECT_LOCAL_STORAGE_PATH, temporary_settings

from prefect_smtp_relay import send_an_email
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.fleet.deployed import PID_FILE, deploy, recipient
from tests.fleet.processes import Program, wait_for
from tests.object_storage import Bucket
from tests.prefect_server import free_port
from tests.rooms import ROOT
from tests.tasks.bulk_mails import connect

_PAGES = ROOT / "docs" / "how-to"
_MANIFESTS = ROOT / "examples" / "kubernetes"
_RUNS, _MAILS, _DELAYED = 2, 10, 10


def blocks(page: str, language: str) -> list[str]:
    """What a page has in this language."""
    text = (_PAGES / page).read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def pods() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each pod of the page's workers and task workers: a name, and its only container."""
    for name in ("worker", "task-worker"):
        manifest = yaml.safe_load((_MANIFESTS / f"{name}.yaml").read_text("utf-8"))
        [container] = manifest["spec"]["template"]["spec"]["containers"]
        for number in range(manifest["spec"]["replicas"]):
            yield f"{name}-{number}", container


@contextmanager
def running(folder: Path, bucket: Bucket) -> Iterator[None]:
    """Run each container in a home of its own, with the bucket, API and folders of this test."""
    here = {"PREFECT_API_URL": PREFECT_API_URL.value() or ""}
    here["PREFECT_LOCAL_STORAGE_PATH"] = str(folder / "results")
    with ExitStack() as stack:
        for name, container in pods():
            home = folder / name
            home.mkdir()
            variables = {each["name"]: here[each["name"]] for each in container["env"]}
            own = {"PREFECT_HOME": str(home), PID_FILE: str(home / "pid")}
            own["PREFECT_WORKER_WEBSERVER_PORT"] = str(free_port())  # pods have 8080 each
            environment = os.environ | bucket.settings("pods") | variables | own
            command = [sys.executable, "-m", *map(str, container["command"])]
            stack.enter_context(Program(command, environment, home / "log"))
        yield


def test_the_pods_of_the_page_send_each_mail_once(
    client: SyncPrefectClient, mail_server: MailServer, bucket: Bucket, tmp_path: Path
) -> None:
    """Two workers and two task workers share the runs of a deployment and delayed mail."""
    connect(mail_server)
    deploy("mail")
    deployment = client.read_deployment_by_name("announce/killed")
    parameters = {"count": _MAILS, "one_by_one": False}
    expected = [f"user{number}@example.org" for number in range(_DELAYED)]
    results = {PREFECT_LOCAL_STORAGE_PATH: tmp_path / "results"}
    with running(tmp_path, bucket), temporary_settings(results):
        for _ in range(_RUNS):
            run = client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
            expected += [recipient(str(run.id), number) for number in range(_MAILS)]
        for number in range(_DELAYED):
            send_an_email.delay(f"user{number}@example.org", "s", "b", idempotency_key=str(number))
        wait_for(lambda: len(mail_server.mails) >= len(expected), "the mails")
    assert sorted(mail.forward_paths[0] for mail in mail_server.mails) == sorted(expected)


def test_the_flow_and_the_automation_of_the_page_run(
    client: SyncPrefectClient, mail_server: MailServer
) -> None:
    """The first one mails everybody once; the second one is one that Prefect takes."""
    del client
    connect(mail_server)
    flow, automation = blocks("many-workers.md", "python")
    names: dict[str, Any] = {}
    exec(flow, names)  # noqa: S102  # our own page
    everybody = [f"user{number}@example.org" for number in range(3)]
    names["tell_everybody"](everybody)
    assert sorted(mail.forward_paths[0] for mail in mail_server.mails) == everybody
    exec(automation)  # noqa: S102  # likewise


def test_the_deployments_of_the_page_are_deployed(
    client: SyncPrefectClient, tmp_path: Path
) -> None:
    """``prefect deploy`` takes the package's flows, with their schedules."""
    client.create_work_pool(WorkPoolCreate(name="mail", type="process"), overwrite=True)
    commands = [
        line
        for block in blocks("many-workers.md", "bash")
        for line in block.splitlines()
        if line.startswith("prefect deploy")
    ]
    for command in commands:
        words = [sys.executable, "-m", *shlex.split(command)]
        words.insert(3, "--no-prompt")
        subprocess.run(words, check=True, cwd=tmp_path, stdout=subprocess.DEVNULL)  # noqa: S603  # likewise
    deployed = {found.name: found for found in client.read_deployments()}
    assert {len(deployed[name].schedules) for name in ("flush-outbox", "queue-delayed-again")} == {
        1
    }
