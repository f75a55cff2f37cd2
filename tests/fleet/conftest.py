"""What the tests share: the fixtures of tests that ask Prefect, and a fleet."""

from collections.abc import Iterator

import pytest

from tests.fleet.fleet import Fleet
from tests.prefect_api import *  # noqa: F403  # the fixtures


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """All processes, once: each is started again after its kill."""
    with Fleet(tmp_path_factory.mktemp("fleet")).running() as fleet:
        yield fleet
