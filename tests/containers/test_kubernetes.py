"""The manifests for Kubernetes: by its schemas, and their containers as processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate
import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL

from prefect_smtp_relay.testing.mail_server import MailServer
from tests.containers.conftest import DEPLOY, PASSWORD, USER, wait_for_pool
from tests.containers.host import Host
from tests.fleet.processes import wait_for
from tests.mounted import mount
from tests.object_storage import Bucket
from tests.pages import page
from tests.prefect_server import free_port
from tests.rooms import ROOT

FILES = sorted((ROOT / "examples" / "kubernetes").glob("*.yaml"))
MANIFESTS = {file.stem: list(yaml.safe_load_all(file.read_text("utf-8"))) for file in FILES}
PODS: dict[str, dict[str, Any]] = {
    name: found["spec"]["template"]["spec"]
    for name, documents in MANIFESTS.items()
    for found in documents
    if "template" in found.get("spec", {})
}
MOUNTED = "/run/secrets/smtp-relay"
NEW_PASSWORD = "the next app password"


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_manifests_are_valid(name: str) -> None:
    """No field is misspelt or has a value of another type."""
    newest = kubernetes_validate.latest_version()
    for document in MANIFESTS[name]:
        kubernetes_validate.validate(document, newest, strict=True)


@pytest.mark.parametrize("name", PODS)
def test_each_pod_runs_without_rights_and_has_the_password(name: str) -> None:
    """Not as root, without a token for the cluster, and with the secret mounted as a directory."""
    pod = PODS[name]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is pod["enableServiceLinks"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    [mounted] = [each for each in container["volumeMounts"] if each["name"] == "smtp-relay"]
    assert (mounted["mountPath"], mounted["readOnly"]) == (MOUNTED, True)
    assert "subPath" not in mounted, "Kubernetes does not exchange such a file"
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert {each["name"] for each in container["volumeMounts"]} == set(volumes)
    assert volumes["smtp-relay"]["secret"]["secretName"] in names_of("Secret")


def names_of(kind: str) -> set[str]:
    """The names of all objects of a kind."""
    documents = (each for documents in MANIFESTS.values() for each in documents)
    return {each["metadata"]["name"] for each in documents if each["kind"] == kind}


@pytest.fixture
def cluster(host: Host, mailbox: MailServer) -> Host:
    """A host with the servers that the pods name, and the mounted password."""
    host.substitutes |= {
        "http://prefect-server:4200/api": str(PREFECT_API_URL.value()),
        "smtp.example.org": mailbox.host,
        "587": str(mailbox.port),
    }
    mount(Path(host.local(MOUNTED)), "2026_1", password=PASSWORD)
    Path(host.local("/var/lib/prefect")).mkdir(parents=True)
    return host


def variables(pod: dict[str, Any], bucket: Bucket, **own: str) -> dict[str, str]:
    """The environment of a pod's container, with a spool in the bucket."""
    [container] = pod["containers"]
    of_secrets = bucket.settings("pods") if "envFrom" in container else {}
    given = {each["name"]: each["value"] for each in container["env"]}
    return {**of_secrets, "PREFECT_HOME": "/var/lib/prefect", **given, **own}


def test_a_worker_uses_the_exchanged_password_without_a_restart(
    cluster: Host, client: SyncPrefectClient, mailbox: MailServer, bucket: Bucket
) -> None:
    """The Job connects, the probe is answered, and mail goes with the old and the new password."""
    connect, worker = PODS["connect"], PODS["worker"]
    printed = cluster.run(connect["containers"][0]["command"], variables(connect, bucket))
    assert "Connected smtp/default" in printed
    [container] = worker["containers"]
    port = str(free_port())
    environment = variables(worker, bucket, PREFECT_WORKER_WEBSERVER_PORT=port)
    probe = f"http://127.0.0.1:{port}{container['livenessProbe']['httpGet']['path']}"
    with cluster.running(list(map(str, container["command"])), environment):
        wait_for_pool(client)
        assert httpx.get(probe).is_success
        cluster.run(DEPLOY, environment)
        deployment = client.read_deployment_by_name("send-test-mail/test")
        parameters = {"to": "ann@example.org"}
        client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
        wait_for(lambda: len(mailbox.mails) == 1, "the mail")
        mailbox.users = {USER: NEW_PASSWORD}
        mount(Path(cluster.local(MOUNTED)), "2026_2", password=NEW_PASSWORD)
        client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
        wait_for(lambda: len(mailbox.mails) == 2, "the second mail")
    assert [mail.username for mail in mailbox.mails] == [USER, USER]


def test_the_page_shows_these_files() -> None:
    """What is tested is what people copy."""
    text = page("how-to/kubernetes").text
    assert all(f'--8<-- "examples/kubernetes/{file.name}"' in text for file in FILES)
