"""The tasks, in flows, with a real server."""

from tests.prefect_api import *  # noqa: F403  # the fixtures
