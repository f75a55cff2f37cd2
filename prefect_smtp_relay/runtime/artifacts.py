"""A mail as a Markdown artifact of its run: what was said, and who took it."""

from __future__ import annotations

from typing import Literal

from prefect.artifacts import create_markdown_artifact
from prefect.context import FlowRunContext, TaskRunContext

from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.rendering.quoting import code_block
from prefect_smtp_relay.runtime.log import run_logger

ArtifactInput = bool | Literal["with-recipients"]
"""Whether to leave an artifact, and whether it shows whole addresses; Bcc never."""

_KEY = "email"


def leave_artifact(message: Message, receipt: Receipt, wanted: ArtifactInput) -> None:
    """Leave an artifact in the current run; the mail is out, so a failure is only logged.

    Args:
        message: what was submitted.
        receipt: what became of it.
        wanted: False for none; True masks the recipients, ``with-recipients`` does not.
    """
    if wanted not in (False, True, "with-recipients"):
        run_logger().warning("artifact: %r is none of False, True and with-recipients.", wanted)
        return
    if not wanted or not (TaskRunContext.get() or FlowRunContext.get()):
        return
    markdown = describe(message, receipt, masked=wanted != "with-recipients")
    try:
        create_markdown_artifact(markdown, key=_KEY, description=f"{receipt.outcome} mail")
    except Exception as error:  # whatever the API answers, the mail is out
        run_logger().warning("No artifact of the mail was left: %s", error)


def describe(message: Message, receipt: Receipt, *, masked: bool) -> str:
    """Write the artifact's Markdown; what came from outside stands in code blocks only."""
    rows = [
        ("Outcome", receipt.outcome),
        ("Relay", receipt.relay),
        ("Transport", receipt.transport),
        ("Message-ID", receipt.message_id),
        ("Recipients", ", ".join(receipt.accepted)),
        *((f"Refused: {address}", str(refusal)) for address, refusal in receipt.refused.items()),
        ("Bcc recipients", f"{receipt.bcc_accepted} accepted, {receipt.bcc_refused} refused"),
        ("Response", receipt.response),
        ("Size", f"{receipt.size:,} bytes"),
        ("Submitted at", f"{receipt.submitted_at:%Y-%m-%d %H:%M:%S} UTC"),
    ]
    facts = "\n".join(f"{name}: {value}" for name, value in rows)
    # The longest first: one may be the end of another.
    addresses = sorted((*receipt.accepted, *receipt.refused), key=len, reverse=True)
    for address in addresses if masked else ():
        facts = facts.replace(address, _mask(address))
    return "\n\n".join([code_block(message.subject), code_block(facts), code_block(message.text)])


def _mask(address: str) -> str:
    """``ann@example.org`` as ``a***@example.org``."""
    local_part, _, domain = address.rpartition("@")
    return f"{local_part[:1]}***@{domain}"
