"""The command line: what is connected, and what waits in the outbox.

Nothing is drawn as a table: its cells would be cut in a narrow terminal, and in a pipe.
"""

from __future__ import annotations

import sys
from functools import partial

from cyclopts import App
from rich.console import Console

from prefect_smtp_relay import __version__, catalog
from prefect_smtp_relay.exceptions import EmailError, RelayConfigurationError
from prefect_smtp_relay.settings import SmtpRelaySettings, current_settings
from prefect_smtp_relay.submission import open_outbox, resubmit
from prefect_smtp_relay.transports.outbox import StoredMail

app = App(
    name="prefect-smtp-relay",
    version=__version__,
    help="E-mail from Prefect flows: what is connected, and what waits.",
)
outbox_app = App(name="outbox", help="Mail that no relay has accepted yet.")
app.command(outbox_app)


@app.command
def status() -> int:
    """Show the connected relays in the order of choice, and which one takes the next mail."""
    relays = catalog.connected()
    width = max((len(relay.name) for relay in relays), default=0)
    for place, relay in enumerate(relays):
        is_valid, text = _describe(relay)
        turn = "takes the next mail" if is_valid else "fails the next mail"
        _say(f"{relay.name:<{width}}  {turn if place == 0 else '':<19}  {text}")
    if not relays:
        _say(f"No relay is connected; {_default_delivery(current_settings())}.")
    return 0


@outbox_app.command(name="list")
def list_entries() -> int:
    """List the stored mails, oldest first, with the reason for each."""
    entries = open_outbox(current_settings()).entries()
    for entry in entries:
        _say(f"{entry.id}  {entry.stored_at:%Y-%m-%d %H:%M:%S} UTC  {entry.subject}")
        _say(f"    {_state(entry)}")
    _say(f"{len(entries)} stored." if entries else "The outbox is empty.")
    return 0


@outbox_app.command
def flush() -> int:
    """Submit the stored mails through the connected relay."""
    settings = current_settings()
    outbox = open_outbox(settings)
    waiting = len(outbox.entries())
    if waiting and catalog.preferred() is None:
        _complain(
            f"No relay is connected: {waiting} left in the outbox. Save an SMTP or a SendGrid"
            " block, then run this again."
        )
        return 1
    report = outbox.flush(partial(resubmit, settings=settings))
    for receipt in report.accepted:
        _say(f"{receipt.relay} accepted {receipt.message_id}")
    for entry, reason in report.failed:
        _complain(f"{entry}: {reason}")
    if report.stopped:
        _complain(report.stopped)
    _say(f"{len(report.accepted)} accepted, {report.remaining} left in the outbox.")
    return 1 if report.failed or report.remaining else 0


def main() -> None:
    """Run a command; exit with 0 if it did all, 1 if mail is left or an error was shown."""
    try:
        sys.exit(app(sys.argv[1:]))
    except EmailError as error:
        _complain(str(error))
        sys.exit(1)


def _describe(relay: catalog.Connected) -> tuple[bool, str]:
    try:
        return True, f"{relay.load().get_transport().name}, priority {relay.priority}"
    except RelayConfigurationError as error:
        return False, f"is invalid: {error}"


def _state(entry: StoredMail) -> str:
    if entry.error:
        return f"cannot be read: {entry.error}"
    if entry.claimed:
        return "is being submitted by a flush"
    note = "a flush was interrupted, so a relay may have accepted it; " * entry.interrupted
    return f"{entry.recipients} recipient(s); {note}{entry.reason}"


def _default_delivery(settings: SmtpRelaySettings) -> str:
    if settings.default_delivery == "refuse":
        return "mail is refused"
    return f"mail is stored in {settings.outbox_path}"


def _say(text: str) -> None:
    """Print a line as it is: ``[SEV1]`` is no markup, and no line is broken or cut."""
    Console(markup=False, emoji=False, highlight=False, soft_wrap=True).print(text)


def _complain(text: str) -> None:
    console = Console(stderr=True, markup=False, emoji=False, highlight=False, soft_wrap=True)
    console.print(text, style="red")
