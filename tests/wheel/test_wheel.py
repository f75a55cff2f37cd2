"""What people install is all that they need."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from email import message_from_string
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient

from prefect_smtp_relay import __version__
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.rooms import ROOT

FLOW = """\
from prefect import flow
from prefect_smtp_relay import send_an_email


@flow
def tell() -> None:
    send_an_email("ann@example.org", "Disk full", "The disk of **db-1** is full.")


tell()
"""
BESIDE_THE_CODE = ("README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "constraints.txt")
MAX_BYTES = 1_500_000


@pytest.fixture(scope="session")
def wheel(dist: Path) -> zipfile.ZipFile:
    """The wheel, opened."""
    (file,) = dist.glob("*.whl")
    return zipfile.ZipFile(file)


def test_the_wheel_has_all_that_the_package_reads(wheel: zipfile.ZipFile) -> None:
    """Templates, style sheet, presets, types: each file of the package is in the wheel."""
    package = ROOT / "prefect_smtp_relay"
    files = {
        str(file.relative_to(ROOT))
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == files
    assert "prefect_smtp_relay/py.typed" in files


def test_the_metadata_is_what_a_package_index_shows(wheel: zipfile.ZipFile) -> None:
    """Name, version, licence, links and the README are there."""
    info = f"prefect_smtp_relay-{__version__}.dist-info"
    metadata = message_from_string(wheel.read(f"{info}/METADATA").decode())
    assert (metadata["Name"], metadata["Version"]) == ("prefect-smtp-relay", __version__)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
    links = dict(link.split(", ") for link in metadata.get_all("Project-URL", []))
    assert links.keys() == {"Homepage", "Documentation", "Source", "Issues", "Changelog"}
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_sdist_is_what_is_needed_to_build_and_test(dist: Path) -> None:
    """Nothing of a developer's machine is in it, and no large file."""
    (file,) = dist.glob("*.tar.gz")
    with tarfile.open(file) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {*BESIDE_THE_CODE} <= names
    assert not [name for name in names if name.startswith(".") and name != ".gitignore"]
    assert file.stat().st_size < MAX_BYTES


def test_from_the_wheel_to_a_mail(run: Callable[..., str], mail_server: MailServer) -> None:
    """Install, register, connect, and a flow in an empty folder sends its mail over SMTP."""
    assert run("prefect-smtp-relay", "--version").strip() == __version__
    assert "SMTP" in run("prefect", "block", "register", "-m", "prefect_smtp_relay")
    port = ("--port", str(mail_server.port), "--no-ssl")
    relay = ("--address", "127.0.0.1", *port, "--from-address", "flows@example.org")
    run("prefect-smtp-relay", "connect", "smtp", *relay, "--username", "")
    run("python", "-c", FLOW)
    (mail,) = mail_server.mails
    assert mail.forward_paths == ("ann@example.org",)
    assert "The disk of db-1 is full." in mail.message.get_body(("plain",)).get_content()  # type: ignore[union-attr]  # there is a body


@pytest.fixture
def set_up(client: SyncPrefectClient) -> Iterator[Callable[[], set[str]]]:
    """Tell what is deployed and automated, and remove it in the end."""

    def names() -> set[str]:
        automations = {automation.name for automation in client.read_automations()}
        return {deployment.name for deployment in client.read_deployments()} | automations

    yield names
    for deployment in client.read_deployments():
        client.delete_deployment(deployment.id)
    for automation in client.read_automations():
        client.delete_automation(automation.id)


def test_from_the_wheel_to_a_project(
    run: Callable[..., str], set_up: Callable[[], set[str]]
) -> None:
    """``init`` writes and deploys what people need who work in Prefect's UI; nothing is missing."""
    shown = run("prefect-smtp-relay", "init")
    assert "prefect.yaml: created" in shown
    assert {"check-relay", "send-test-mail", "Check a relay when its block is saved"} <= set_up()
