"""``status``: what is connected, which relay is used and why, and what waits."""

from __future__ import annotations

from prefect_smtp_relay.cli.answer import DONE, PROBLEM, Answer, Json, show
from prefect_smtp_relay.cli.api import announce_api, api_url
from prefect_smtp_relay.delivery.next_mail import NextMail, look_up
from prefect_smtp_relay.delivery.outbox_state import look_into_outbox
from prefect_smtp_relay.settings import current_settings


def status(*, as_json: Json = False) -> int:
    """Show the connected relays, the next mail's and why, and the outbox."""
    announce_api()
    next_mail = look_up()
    outbox = look_into_outbox(current_settings())
    api = api_url()
    lines = [f"Prefect API: {api}", *_describe_relays(next_mail), outbox.text]
    data = {
        "api": api,
        "relays": [relay.as_data() for relay in next_mail.relays],
        "next_mail": next_mail.as_data(),
        "outbox": outbox.as_data(),
    }
    code = PROBLEM if next_mail.fails else DONE
    return show(Answer(data, lines, code=code), as_json=as_json)


def _describe_relays(next_mail: NextMail) -> list[str]:
    width = max((len(relay.name) for relay in next_mail.relays), default=0)
    lines = [
        f"{relay.name:<{width}}  {next_mail.turn_of(relay):<19}  {relay.text}"
        for relay in next_mail.relays
    ]
    return [*lines, next_mail.text]
