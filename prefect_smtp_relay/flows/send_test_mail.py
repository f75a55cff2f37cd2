"""The flow ``send-test-mail``: what `prefect-smtp-relay send` does, from Prefect's UI."""

from __future__ import annotations

from prefect import State, flow
from prefect.states import Completed

from prefect_smtp_relay.compose.options import MailArguments
from prefect_smtp_relay.delivery.deliver import deliver_once
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.flows.ending import failed
from prefect_smtp_relay.flows.which_relay import NEXT, named_relay
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.runtime.artifacts import leave_artifact
from prefect_smtp_relay.settings import current_settings

_SUBJECT = "Test mail from Prefect"
_BODY = "Somebody started the flow `send-test-mail`, to see that the relay takes mail. It does."


@flow(name="send-test-mail", flow_run_name="test mail")
def send_test_mail(to: str, relay: str = NEXT) -> State[None]:
    """Submit one test mail at once, without retries.

    A mail that fails is not stored; where no relay is connected, it waits in the outbox.

    Args:
        to: Who gets it: ann@example.org. Several with commas between them.
        relay: smtp/NAME or sendgrid/NAME, as the block is named. "next" is the relay that takes
            the next mail.

    Returns:
        Failed where no relay accepted it for everybody; the message says what to change. An
        artifact of the run has the mail, and who accepted it.
    """
    wanted: MailArguments = {"to": to, "subject": _SUBJECT, "body": _BODY}
    try:
        outcome = deliver_once(wanted, named_relay(relay), current_settings())
        receipt = outcome.get()
    except EmailError as error:
        return failed(error)
    if outcome.message:
        leave_artifact(outcome.message, receipt, wanted=True)
    return _end(receipt)


def _end(receipt: Receipt) -> State[None]:
    if receipt.outcome == "stored":
        return failed(
            f"No relay took the mail: it was {receipt.response}. Save an SMTP or a SendGrid block:"
            " in Prefect's UI, under Blocks."
        )
    if receipt.refused:
        refusals = (f"{address} was refused: {why}" for address, why in receipt.refused.items())
        taken = f"{receipt.relay} accepted the mail for {len(receipt.accepted)} recipient(s)."
        return failed("\n".join((*refusals, taken)))
    return Completed(message=f"{receipt.relay} accepted {receipt.message_id}: {receipt.response}")
