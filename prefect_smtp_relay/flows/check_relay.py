"""The flow ``check-relay``: what `prefect-smtp-relay check` does, from Prefect's UI."""

from __future__ import annotations

import re

from prefect import State, flow
from prefect.states import Completed

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.flows.ending import failed
from prefect_smtp_relay.flows.relay_check import RelayCheck, check
from prefect_smtp_relay.flows.which_relay import NEXT, chosen_relays
from prefect_smtp_relay.runtime.artifacts import leave_markdown
from prefect_smtp_relay.runtime.log import run_logger


@flow(name="check-relay", flow_run_name="check {relay}")
def check_relay(relay: str = NEXT) -> State[None]:
    """Check a relay step by step, and say what to change. No message is submitted.

    Args:
        relay: smtp/NAME or sendgrid/NAME, as the block is named. "next" is the relay that takes
            the next mail, "all" is every connected relay.

    Returns:
        Failed where a relay would not take a mail; the message says what to change. An artifact of
        the run has each step.
    """
    try:
        checks = [check(each) for each in chosen_relays(relay)]
    except EmailError as error:
        return failed(error)
    for each in checks:
        _tell(each)
    if problems := [each.problem for each in checks if each.problem]:
        return failed("\n".join(problems))
    return Completed(message=f"{', '.join(each.relay for each in checks)}: ready to take mail.")


def _tell(found: RelayCheck) -> None:
    key = re.sub(r"[^a-z0-9]+", "-", f"check-{found.relay}".lower())
    leave_markdown(key, found.markdown(), f"Each step to {found.relay}")
    run_logger().info("Each step to %s is in the artifact %s of this run.", found.relay, key)
