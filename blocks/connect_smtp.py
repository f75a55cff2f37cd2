"""Connect an SMTP server from SMTP_ADDRESS, SMTP_PORT, SMTP_USERNAME, SMTP_PASSWORD and so on."""

from __future__ import annotations

import sys

from environment import connect_from_environment

from prefect_smtp_relay import SMTP

if __name__ == "__main__":
    sys.exit(connect_from_environment(SMTP, "SMTP_"))
