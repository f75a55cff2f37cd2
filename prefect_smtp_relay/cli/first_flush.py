"""After a relay was connected: what is to become of the mail that has waited for one."""

from __future__ import annotations

from prefect_smtp_relay.cli.answer import DONE, complain, show
from prefect_smtp_relay.cli.outbox.flushing import NOTHING, TEST, ask_about, carry_out, show_plan
from prefect_smtp_relay.cli.outbox.plan import Plan
from prefect_smtp_relay.cli.prompts import ask
from prefect_smtp_relay.cli.send import send
from prefect_smtp_relay.delivery.next_mail import look_up
from prefect_smtp_relay.delivery.outbox_state import look_into_outbox
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.settings import current_settings


def offer_to_flush() -> int:
    """Ask a person whether to submit what waits, and do it; nothing is submitted unasked.

    Returns:
        The exit code: 1 where a mail that was to be submitted was not accepted.

    Raises:
        EmailError: the outbox failed, or the Prefect API could not be asked.
    """
    settings = current_settings()
    plan = Plan(look_into_outbox(settings).entries or (), False, look_up())
    if not (plan.mails and plan.has_relay):
        return DONE
    show_plan(plan)
    while (decision := ask_about(plan, may_test=True)) == TEST:
        _send_test_mail()
    if decision == NOTHING:
        return DONE
    return show(carry_out(settings, plan, decision), as_json=False)


def _send_test_mail() -> None:
    """Send one to whom the person names; an error is shown, and the question comes again."""
    if to := ask("To whom (empty for nobody)"):
        try:
            send(to)
        except EmailError as error:
            complain(str(error))
