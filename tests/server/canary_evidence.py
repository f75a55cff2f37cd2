"""Runs flows with canaries for credentials, and collects everything that Prefect keeps of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx
from cryptography.fernet import Fernet

from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.echoing_sendgrid import echoing_sendgrid
from tests.prefect_server import PrefectServer, clean_environment

SECRETS = {
    "address": "canary-host-5b1d7e.example",
    "username": "Canary-Usér-8c2f4a/+&",
    "password": "Canary-Pässword 3e9b6d/+&%\"'",
    "mounted": "Canary-Möunted 9d2e6b/+&%\"'",
    "wrong_password": "Canary-Wröng 7a4c1f/+&%\"'",
    "api_key": "SG.Canary-Key-6d3a9c.never-shown",
    "oauth_client_secret": "Canary-Client~Sécret-1b8e5d/+&",
    "oauth_refresh_token": "1//Canary-Refresh-9f2c7a/+&",
}
"""By the field that has it; the mounted one is in a file that is not searched."""

RECIPIENT = "canary-recipient-2f8e5b@example.org"
"""Is no secret, and has to be found."""

_RUNS = {"flow": 9, "task": 10}
_FLUSH_SECONDS = 60
_PAUSE_SECONDS = 0.1


class Evidence(NamedTuple):
    """What is left when the flows have run and the server has stopped."""

    files: dict[str, bytes]
    api: dict[str, bytes]
    database: Path
    encryption_key: str

    @property
    def places(self) -> dict[str, bytes]:
        """Everything to be searched."""
        return self.files | self.api


def gather(folder: Path, certificates: Certificates) -> Evidence:
    """Run the flows against a server of their own, and collect what that leaves behind.

    Args:
        folder: empty; becomes the home of the server and of the flows.
        certificates: for the mail server.
    """
    key = Fernet.generate_key().decode()
    users = {SECRETS["username"]: SECRETS["password"], "mounted": SECRETS["mounted"]}
    mail = MailServer("starttls", certificates.server_context, users)
    mail.refused["refused@example.org"] = "550 5.1.1 nobody here"
    (folder / "server").mkdir()
    server = PrefectServer(
        folder / "server",
        "--no-ui",
        PREFECT_SERVER_ENCRYPTION_KEY=key,
        PREFECT_SERVER_LOGGING_LEVEL="DEBUG",
        PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL="0.2",
    )
    with (
        mail,
        echoing_sendgrid() as api_url,
        server.running(),
        TemporaryDirectory() as secrets,
    ):
        file = Path(secrets) / "password"
        file.write_text(SECRETS["mounted"], encoding="utf-8")
        places = {"smtp_port": str(mail.port), "api_url": api_url, "mounted_file": str(file)}
        _run_flows(folder, server.api_url, SECRETS | places | {"recipient": RECIPIENT})
        assert len(mail.mails) == 5
        api = _read_api(server.api_url)
    files = {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    return Evidence(files, api, folder / "server" / "prefect.db", key)


def _run_flows(folder: Path, url: str, canaries: dict[str, str]) -> None:
    environment = clean_environment(folder / "client") | {
        "PREFECT_API_URL": url,
        "PREFECT_LOGGING_LEVEL": "DEBUG",
        "PREFECT_INTEGRATIONS_SMTP_RELAY_SECRET_FILES": canaries["mounted_file"],
    }
    with (folder / "output").open("wb") as output:
        subprocess.run(  # noqa: S603  # our own script, by our own interpreter
            [sys.executable, Path(__file__).with_name("canary_flows.py")],
            input=json.dumps(canaries | {"log": str(folder / "client.log")}).encode(),
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=True,
        )


def _until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(_PAUSE_SECONDS)


def _read_api(url: str) -> dict[str, bytes]:
    """Read what the API tells, once the events have arrived that come last."""
    with httpx.Client(base_url=url) as client:
        ends = [f"prefect.{run}-run.{end}" for run in _RUNS for end in ("Completed", "Failed")]
        query = {"filter": {"event": {"name": ends}}}

        def all_ended() -> bool:
            total: int = client.post("/events/filter", json=query).json()["total"]
            return total >= sum(_RUNS.values())

        _until(all_ended, _FLUSH_SECONDS)
        names = ("flow_runs", "task_runs", "artifacts", "block_documents", "flows", "logs")
        found = {f"the API's {name}": b"".join(_pages(client, name)) for name in names}
        found["the API's events"] = b"".join(_event_pages(client))
        return found


def _pages(client: httpx.Client, name: str) -> Iterator[bytes]:
    offset, page = 0, [None]
    while page:
        answer = client.post(f"/{name}/filter", json={"offset": offset, "limit": 200})
        page = answer.raise_for_status().json()
        offset += len(page)
        yield answer.content


def _event_pages(client: httpx.Client) -> Iterator[bytes]:
    answer = client.post("/events/filter", json={"limit": 50})
    yield answer.content
    while following := answer.raise_for_status().json()["next_page"]:
        answer = client.get(following)
        yield answer.content
