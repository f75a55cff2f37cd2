"""A process that is told to end in the middle of a batch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from prefect_smtp_relay.delivery.routing import open_outbox
from prefect_smtp_relay.settings import current_settings
from tests.rooms import ROOT

_SCRIPT = """
import sys
from prefect import flow
from prefect_smtp_relay import send_emails
from prefect_smtp_relay.testing.memory import InMemoryTransport
from prefect_smtp_relay.transports.waiting import clock, wait_until

class Slow(InMemoryTransport):
    def deliver(self, message, envelope):
        if self.deliveries:
            print("under way", flush=True)
            wait_until(clock().now() + 60)
        return super().deliver(message, envelope)

@flow
def tell():
    mails = [
        {"to": "ann@example.org", "from_": "ops@example.org", "subject": f"Mail {n}", "body": "b"}
        for n in range(3)
    ]
    send_emails(mails, relay=Slow(), connections=int(sys.argv[1]))

tell()
"""


@pytest.mark.usefixtures("outbox_path")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_has_no_receipt_is_kept(tmp_path: Path, number: int) -> None:
    """The outbox has the rest before the process ends, as of a pod that is asked to end."""
    process = subprocess.Popen(  # noqa: S603  # our own interpreter and script
        [sys.executable, "-c", _SCRIPT, "1"],
        stdout=subprocess.PIPE,
        env=os.environ
        | {"PREFECT_API_URL": PREFECT_API_URL.value() or "", "PREFECT_HOME": str(tmp_path)},
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"under way\n"
    process.send_signal(number)
    process.communicate(timeout=120)
    entries = open_outbox(current_settings()).entries()
    kept = {entry.subject: entry.may_be_accepted for entry in entries}
    assert kept == {"Mail 1": True, "Mail 2": False}
