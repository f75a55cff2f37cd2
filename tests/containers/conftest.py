"""The containers of the examples as processes of this host, with a real API and mail server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import WorkPoolFilter, WorkPoolFilterName

from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.containers.host import Host
from tests.fleet.processes import wait_for
from tests.prefect_api import *  # noqa: F403  # the fixtures

USER, PASSWORD = "incidents@example.org", "an app password"
DEPLOY = [
    *("prefect", "--no-prompt", "deploy", "--name", "test", "--pool", "mail"),
    "prefect_smtp_relay.flows.send_test_mail.send_test_mail",
]
"""Deploys the package's flow that sends a test mail."""

_POOL = WorkPoolFilter(name=WorkPoolFilterName(any_=["mail"]))


def wait_for_pool(client: SyncPrefectClient) -> None:
    """Wait until the worker has made its pool."""
    wait_for(lambda: client.read_work_pools(work_pool_filter=_POOL), "the worker's pool")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """A place for the files of containers."""
    return Host(tmp_path_factory.mktemp("containers") / "host")


@pytest.fixture(autouse=True)
def no_pool(client: SyncPrefectClient) -> Iterator[None]:
    """Leave no pool to tests that make one of the same name."""
    yield
    for pool in client.read_work_pools(work_pool_filter=_POOL):
        client.delete_work_pool(pool.name)


@pytest.fixture
def mailbox(certificates: Certificates) -> Iterator[MailServer]:
    """A server that wants STARTTLS and the password."""
    users = {USER: PASSWORD}
    with MailServer("starttls", certificates.server_context, users=users) as server:
        yield server
