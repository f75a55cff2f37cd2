"""Flows that end badly, for the deployments' tests; they are copied beside the example flows."""

from __future__ import annotations

import os
import signal
import time

from prefect import flow, get_run_logger

from prefect_smtp_relay import email_on_cancellation, email_on_crash

_ANN = "ann@example.org"


@flow(name="broken")
def broken(api_key: str) -> None:
    """Fail, after quoting a secret."""
    get_run_logger().info("Calling with %s", api_key)
    raise ValueError("the reactor is too hot")


@flow(name="killed", on_crashed=[email_on_crash(_ANN, subject="$name is $state")])
def killed() -> None:
    """Die as a process does that runs out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


@flow(name="slow", on_cancellation=[email_on_cancellation(_ANN, subject="$name is $state")])
def slow() -> None:
    """Run until somebody cancels."""
    time.sleep(600)
