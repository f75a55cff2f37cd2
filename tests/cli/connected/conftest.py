"""The commands with a real server, which needs no other API address than its own."""

import pytest

from tests.prefect_api import *  # noqa: F403  # the fixtures


@pytest.fixture
def _no_api() -> None:
    """Leave the server's address: in this folder the API answers."""
