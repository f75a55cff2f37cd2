"""A mail as a Markdown artifact of its run: what was said, and who took it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.context import FlowRunContext, TaskRunContext

from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.rendering.quoting import escape_markdown, quote_text
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.transports.masking import mask

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
    with _only_logged():
        create_markdown_artifact(markdown, key=_KEY, description=f"{receipt.outcome} mail")


def leave_table(key: str, rows: list[dict[str, str]], description: str) -> None:
    """Leave a table in the current run; what looks like a secret is masked."""
    masked = [{name: mask(text) for name, text in row.items()} for row in rows]
    with _only_logged():
        create_table_artifact(masked, key=key, description=description)


def leave_markdown(key: str, markdown: str, description: str) -> None:
    """Leave a text in the current run.

    Args:
        key: what it is found by: lower case letters, digits and dashes.
        markdown: without a secret.
        description: one line.
    """
    with _only_logged():
        create_markdown_artifact(markdown, key=key, description=description)


@contextmanager
def _only_logged() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever the API answers, the work of the run is done
        run_logger().warning("No artifact was left: %s", error)


def describe(message: Message, receipt: Receipt, *, masked: bool) -> str:
    """Write the artifact's Markdown: a table of facts and the text; both show as plain text.

    What looks like a secret is masked: an artifact stays in Prefect's database.
    """
    facts = {
        "Outcome": receipt.outcome,
        "Relay": receipt.relay,
        "From": str(message.from_),
        "To": ", ".join(receipt.accepted),
        **{f"Refused: {address}": str(refusal) for address, refusal in receipt.refused.items()},
        "Bcc": f"{receipt.bcc_accepted} accepted, {receipt.bcc_refused} refused",
        "Message-ID": receipt.message_id,
        "Response": receipt.response,
        "Size": f"{receipt.size:,} bytes",
        "Submitted": f"{receipt.submitted_at:%Y-%m-%d %H:%M:%S} UTC, to {receipt.transport}",
    }
    # The longest first: one may be the end of another.
    addresses = sorted((*receipt.accepted, *receipt.refused), key=len, reverse=True)
    hide = _masking(addresses if masked else ())
    rows = [f"| {hide(name)} | {hide(fact)} |" for name, fact in facts.items()]
    heading, text = escape_markdown(mask(message.subject)), quote_text(mask(message.text))
    return "\n".join([f"# {heading}", "", "| | |", "|-|-|", *rows, "", "---", "", text])


def _masking(addresses: Sequence[str]) -> Callable[[str], str]:
    """Give what writes a cell of the table without these addresses."""

    def hide(text: str) -> str:
        for address in addresses:
            text = text.replace(address, _mask(address))
        return escape_markdown(text)

    return hide


def _mask(address: str) -> str:
    """``ann@example.org`` as ``a***@example.org``."""
    local_part, _, domain = address.rpartition("@")
    return f"{local_part[:1]}***@{domain}"
