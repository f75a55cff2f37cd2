"""One Prefect event for each mail, for automations to react to.

No addresses, no bodies, no host names.

``prefect-smtp-relay.email.accepted``, ``.stored``, ``.refused`` (every recipient), ``.failed`` and
``.unknown`` (the relay's answer was lost: it may have accepted the mail).
Prefect itself relates the event to the flow run and the task run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from prefect.context import FlowRunContext, TaskRunContext
from prefect.events import emit_event
from prefect.settings import PREFECT_API_URL

from prefect_smtp_relay.exceptions import (
    DeliveryError,
    EmailError,
    InternalError,
    OutcomeUnknown,
    RecipientsRefused,
)
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.runtime import in_server as server_process

_PREFIX = "prefect-smtp-relay.email"


def emit_receipt(receipt: Receipt) -> None:
    """Tell that a mail was accepted or stored."""
    _emit(
        receipt.outcome,
        receipt.message_id,
        relay=receipt.relay,
        accepted=len(receipt.accepted) + receipt.bcc_accepted,
        refused=len(receipt.refused) + receipt.bcc_refused,
        size=receipt.size,
        failed_over_from=[
            {"relay": each.relay, "error": each.error} for each in receipt.failed_over_from
        ],
    )


@contextlib.contextmanager
def telling_failure() -> Iterator[None]:
    """Tell of a mail that is given up before any relay is asked.

    Raises:
        EmailError: and nothing else.
    """
    try:
        yield
    except EmailError as error:
        emit_failure(error)
        raise
    except Exception as error:  # the contract: only our own errors leave the public functions
        failure = InternalError.of(error)
        emit_failure(failure)
        raise failure from error


def emit_failure(error: EmailError) -> None:
    """Tell that a mail was given up.

    Args:
        error: its class and codes are told, not its text, which may quote addresses.
    """
    refusals = error.refusals if isinstance(error, RecipientsRefused) else {}
    details: dict[str, Any] = {
        "error": type(error).__name__,
        "accepted": 0,
        "refused": len(refusals),
    }
    if isinstance(error, DeliveryError):
        details |= {
            "code": error.code,
            "enhanced_code": error.enhanced_code,
            "stage": error.stage,
        }
    _emit(_outcome(error), error.message_id, relay=error.relay, **details)


def _outcome(error: EmailError) -> str:
    if isinstance(error, OutcomeUnknown):
        return "unknown"
    return "refused" if isinstance(error, RecipientsRefused) else "failed"


def _emit(outcome: str, message_id: str, **details: Any) -> None:
    """Without a run, an API and a server around us, emitting would start a temporary server."""
    name = message_id.strip("<>") or "not-composed"
    event = f"{_PREFIX}.{outcome}"
    resource = {"prefect.resource.id": f"{_PREFIX}.{name}", "prefect.resource.name": name}
    payload = {"message_id": message_id, **details}
    if server_process.is_entered():
        server_process.emit(event, resource, payload)
    elif FlowRunContext.get() or TaskRunContext.get() or PREFECT_API_URL.value():
        emit_event(event=event, resource=resource, payload=payload)
