"""The example for Docker: each step of its image, and its containers as processes."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.containers.conftest import DEPLOY, PASSWORD, USER, wait_for_pool
from tests.containers.dockerfile import Image
from tests.containers.host import Host
from tests.fleet.processes import wait_for
from tests.pages import page
from tests.prefect_server import free_port
from tests.rooms import ROOT

FOLDER = ROOT / "examples" / "docker"
SERVICES: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))["services"]
OWN = [name for name, service in SERVICES.items() if "build" in service]


@pytest.fixture(scope="module")
def image(host: Host) -> Image:
    """The image, built."""
    image = Image(host, FOLDER / "Dockerfile")
    image.build()
    return image


@pytest.fixture
def trial(host: Host, mailbox: MailServer) -> Host:
    """A host with the servers that the containers name, and the mounted password."""
    host.substitutes |= {
        "http://server:4200/api": str(PREFECT_API_URL.value()),
        "mailbox": mailbox.host,
        "1025": str(mailbox.port),
        ":8080": f":{free_port()}",
    }
    host.mount("/run/secrets/smtp_password", f"{PASSWORD}\n")
    return host


def variables(image: Image, service: str) -> Mapping[str, str]:
    """What a container of the service has in its environment, but the image's PATH."""
    own: dict[str, str] = image.variables | SERVICES[service].get("environment", {})
    del own["PATH"]
    return {**own, "PREFECT_WORKER_WEBSERVER_PORT": image.host.local(":8080").removeprefix(":")}


def test_the_image_is_built_for_a_user_without_rights(image: Image) -> None:
    """What it installs fits together, its folders are closed to others, and it is not root's."""
    assert [step.split()[0] for step in image.steps] == [
        *("python", "/opt/prefect/bin/pip", "useradd", "install")
    ]
    assert f"--uid {image.user.partition(':')[0]} " in image.steps[2]
    assert image.user == "10001:10001"
    for folder in ("/var/lib/prefect", "/var/spool/smtp-relay"):
        mode = Path(image.host.local(folder)).stat().st_mode
        assert stat.S_IMODE(mode) == 0o700
    where = ("PREFECT_HOME", "PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL")
    assert [image.variables[name] for name in where] == [
        *("/var/lib/prefect", "/var/spool/smtp-relay")
    ]


def test_the_worker_of_the_trial_sends_with_the_mounted_password(
    image: Image, trial: Host, client: SyncPrefectClient, mailbox: MailServer
) -> None:
    """The block is connected, the worker is healthy, and a run of a deployment sends its mail."""
    printed = trial.run(SERVICES["connect"]["command"], variables(image, "connect"))
    assert "Connected smtp/default" in printed
    block = catalog.named("smtp/default")
    assert isinstance(block, SMTP)
    assert block.password_file == trial.local("/run/secrets/smtp_password")
    assert not block.password
    environment = variables(image, "worker")
    with trial.running(image.command, environment):
        wait_for_pool(client)
        wait_for(lambda: is_healthy(image, environment), "the worker's health")
        trial.run(DEPLOY, environment)
        deployment = client.read_deployment_by_name("send-test-mail/test")
        client.create_flow_run_from_deployment(deployment.id, parameters={"to": "ann@example.org"})
        wait_for(lambda: mailbox.mails, "the mail")
    [mail] = mailbox.mails
    assert (mail.username, mail.encrypted) == (USER, True)


def is_healthy(image: Image, environment: Mapping[str, str]) -> bool:
    """Whether the image's own check says so."""
    try:
        image.host.run(image.healthcheck, environment)
    except AssertionError:
        return False
    return True


def test_the_trial_is_open_to_this_machine_only() -> None:
    """Ports are published on loopback, images have a version, and each container has the secret."""
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    others = [service["image"] for service in SERVICES.values() if "build" not in service]
    assert all(":v" in image for image in others)
    assert all(SERVICES[name]["secrets"] == ["smtp_password"] for name in OWN)
    assert all(
        "spool:/var/spool/smtp-relay" in SERVICES[n]["volumes"] for n in ("server", "worker")
    )


def test_the_page_shows_these_files() -> None:
    """What is tested is what people copy."""
    text = page("how-to/docker").text
    for name in ("Dockerfile", "requirements.txt", "compose.yaml"):
        assert f'--8<-- "examples/docker/{name}"' in text
