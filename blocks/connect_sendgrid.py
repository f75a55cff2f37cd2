"""Connect a SendGrid account from SENDGRID_API_KEY, SENDGRID_FROM_ADDRESS and so on."""

from __future__ import annotations

import sys

from environment import connect_from_environment

from prefect_smtp_relay import SendGrid

if __name__ == "__main__":
    sys.exit(connect_from_environment(SendGrid, "SENDGRID_"))
