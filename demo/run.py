"""The main job, shown from nothing: ``make demo`` runs this.

It gives the story a Prefect home of its own, and removes it afterwards.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

_STARTUP_SECONDS = 180


def main() -> int:
    """Run the story in a temporary home and return its exit code."""
    with tempfile.TemporaryDirectory(prefix="prefect-smtp-relay-demo-") as home:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")
        }
        environment |= {
            "PREFECT_HOME": home,
            "PREFECT_PROFILES_PATH": f"{home}/profiles.toml",
            "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(_STARTUP_SECONDS),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "PYTHONUNBUFFERED": "1",
        }
        return subprocess.run(
            [sys.executable, "-m", "demo.story"], env=environment, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
