"""``status``: what is connected, which relay is used and why, and what waits."""

from __future__ import annotations

from prefect_smtp_relay.cli.answer import DONE, PROBLEM, Answer, Json, show
from prefect_smtp_relay.cli.api import announce_api, api_url
from prefect_smtp_relay.cli.next_mail import NextMail, RelayState, look_up
from prefect_smtp_relay.cli.waiting import look_into_outbox


def status(*, as_json: Json = False) -> int:
    """Show the connected relays, the next mail's and why, and the outbox."""
    announce_api()
    next_mail = look_up()
    outbox = look_into_outbox()
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
    lines = [_describe(relay, next_mail, width) for relay in next_mail.relays]
    why = f" Why: {next_mail.why}." if next_mail.why else ""
    return [*lines, f"{next_mail.sentence}{why}"]


def _describe(relay: RelayState, next_mail: NextMail, width: int) -> str:
    turn = "fails the next mail" if relay.error else "takes the next mail"
    turn = turn if relay.name == next_mail.relay else ""
    text = f"{relay.transport}, priority {relay.priority}"
    text = f"is invalid: {relay.error}" if relay.error else text
    return f"{relay.name:<{width}}  {turn:<19}  {text}"
