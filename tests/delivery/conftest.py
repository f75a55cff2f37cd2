"""The way of a mail, with a real server."""

from tests.prefect_api import *  # noqa: F403  # the fixtures
