"""Connect a SendGrid account from SENDGRID_API_KEY, SENDGRID_FROM_ADDRESS and so on."""

from __future__ import annotations

import sys

from prefect_smtp_relay.cli import run

if __name__ == "__main__":
    sys.exit(run(["connect", "sendgrid", "--from-env", "--overwrite", "--no-check"]))
