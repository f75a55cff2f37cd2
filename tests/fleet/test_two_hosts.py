"""Two hosts whose spool is one bucket: one mail for one key, at the same moment."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from prefect.settings import PREFECT_API_URL

from prefect_smtp_relay.testing.mail_server import MailServer
from tests.fleet.host import Gate
from tests.fleet.processes import Program, listens
from tests.object_storage import BUCKET, Bucket
from tests.prefect_server import clean_environment, free_port

_COUNT = 200


@pytest.fixture
def bucket_of_all(tmp_path: Path) -> Iterator[Bucket]:
    """Run object storage in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    log = tmp_path / "storage.log"
    environment = clean_environment(tmp_path)
    with Program(command, environment, log, lambda: listens(port)):
        bucket = Bucket(f"http://127.0.0.1:{port}")
        with urlopen(Request(f"{bucket.endpoint}/{BUCKET}", method="PUT")):  # noqa: S310  # loopback
            pass
        yield bucket


def test_one_key_at_the_same_moment_is_one_mail(
    client: object, mail_server: MailServer, bucket_of_all: Bucket, tmp_path: Path
) -> None:
    """Both hosts get the receipt of the one mail, 200 times."""
    del client
    gate = Gate(2)
    command = [sys.executable, "-m", "tests.fleet.host", str(gate.port), str(mail_server.port)]
    hosts = []
    for name in ("one", "two"):
        home = tmp_path / name
        home.mkdir()
        api = {"PREFECT_API_URL": PREFECT_API_URL.value() or ""}
        environment = clean_environment(home) | bucket_of_all.settings("spool") | api
        hosts.append(
            subprocess.Popen(  # noqa: S603  # our own interpreter, fixed arguments
                [*command, str(_COUNT)], env=environment, stdout=subprocess.PIPE, text=True
            )
        )
    gate.open(_COUNT)
    one, two = (host.communicate(timeout=120)[0].split() for host in hosts)
    arrived = [mail.message["Message-ID"] for mail in mail_server.mails]
    assert one == two
    assert Counter(arrived) == Counter(one)
    assert len(arrived) == _COUNT
