"""The fixtures that users get are the fixtures that the tests use."""

from __future__ import annotations

pytest_plugins = ["prefect_smtp_relay.testing.fixtures"]
