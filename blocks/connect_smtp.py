"""Connect an SMTP server from SMTP_ADDRESS, SMTP_PORT, SMTP_USERNAME, SMTP_PASSWORD and so on."""

from __future__ import annotations

import sys

from prefect_smtp_relay.cli import run

if __name__ == "__main__":
    sys.exit(run(["connect", "smtp", "--from-env", "--overwrite", "--no-check"]))
