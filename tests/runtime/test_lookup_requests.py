"""How many HTTP requests the look-up of a relay costs, with a client that is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prefect.context import SyncClientContext

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.runtime import catalog
from tests.counted_requests import counting_requests

_ONE_REQUEST = ["POST /api/block_documents/filter"]


@pytest.fixture(autouse=True)
def _kept_client() -> Iterator[None]:
    """Keep one client, as Prefect does in a sync flow, past its first request for a token."""
    with SyncClientContext.get_or_create():
        catalog.preferred()
        yield


@pytest.mark.parametrize("documents", [0, 1, 5])
def test_the_preferred_relay_costs_one_request(documents: int) -> None:
    """Asking for the relay of the next mail is one request, however many are connected."""
    for number in range(documents):
        SMTP(address="smtp.example.org").save(f"relay-{number}")
    with counting_requests() as seen:
        block = catalog.preferred()
    assert (block is None) == (documents == 0)
    assert seen == _ONE_REQUEST


def test_a_named_relay_that_exists_costs_one_request() -> None:
    """Asking for a relay by its name is one request where the document exists."""
    SMTP(address="smtp.example.org").save("eu")
    with counting_requests() as seen:
        assert catalog.named("smtp/eu").relay_name == "smtp/eu"
    assert seen == _ONE_REQUEST
