"""An automation that mails each failed flow run from within the server."""

from __future__ import annotations

from uuid import UUID

from prefect.automations import Automation
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import EventTrigger

from prefect_smtp_relay import SMTP, SendAnEmail

FAILING_FLOW = """
from prefect import flow

@flow(name="import")
def failing():
    raise ValueError("no more rows")

failing(return_state=True)
"""
"""A script whose flow run fails."""

_BODY = "{{ flow.name }} is {{ flow_run.state.name }}.\nMessage: {{ flow_run.state.message }}"


def mail_on_failure() -> tuple[Automation, UUID]:
    """Let an automation mail each failed flow run; return it, and the id of its block."""
    block = SendAnEmail(to="Ann <ann@example.org>", bcc="boss@example.org", subject_prefix="[x]")
    block_id = block.save("on-call")
    assert isinstance(block_id, UUID)
    subject = "{{ flow.name }}\nfailed"
    automation = Automation(
        name="Mail each failure",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Failed"},
            match={"prefect.resource.id": "prefect.flow-run.*"},
        ),
        actions=[SendNotification(block_document_id=block_id, subject=subject, body=_BODY)],
    ).create()
    assert isinstance(automation, Automation)
    return automation, block_id


def connect(address: str, port: int, **limits: int) -> None:
    """Save an SMTP block for a server without TLS."""
    block = SMTP(address=address, port=port, ssl=False, from_address="ops@example.org", **limits)
    block.save("mx")
