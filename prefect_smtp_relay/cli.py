"""The command line: what is connected, and what waits in the outbox."""

from __future__ import annotations

import sys
from functools import partial

from cyclopts import App
from rich.console import Console
from rich.table import Table

from prefect_smtp_relay import __version__, catalog
from prefect_smtp_relay.exceptions import EmailError, RelayConfigurationError
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.submission import open_outbox, resubmit

app = App(
    name="prefect-smtp-relay",
    version=__version__,
    help="E-mail from Prefect flows: what is connected, and what waits.",
)
outbox_app = App(name="outbox", help="Mail that no relay has accepted yet.")
app.command(outbox_app)

_console = Console()
_errors = Console(stderr=True)


@app.command
def status() -> int:
    """Show the connected relays in the order of choice, and which one takes the next mail."""
    relays = catalog.connected()
    table = Table("Relay", "Priority", "Transport", "Next mail")
    for place, candidate in enumerate(relays):
        turn = "goes here" if place == 0 else ""
        table.add_row(candidate.name, str(candidate.priority), _describe(candidate), turn)
    if relays:
        _console.print(table)
    else:
        _console.print(f"No relay is connected; default delivery: {_default_delivery()}.")
    return 0


@outbox_app.command(name="list")
def list_entries() -> int:
    """List the stored mails, oldest first, with the reason for each."""
    entries = open_outbox(current_settings()).entries()
    table = Table("Entry", "Stored at", "Subject", "Recipients", "Reason")
    for entry in entries:
        stored_at = f"{entry.stored_at:%Y-%m-%d %H:%M:%S} UTC" if entry.stored_at else ""
        table.add_row(entry.id, stored_at, entry.subject, str(entry.recipients), entry.reason)
    _console.print(table if entries else "The outbox is empty.")
    return 0


@outbox_app.command
def flush() -> int:
    """Submit the stored mails through the connected relay."""
    settings = current_settings()
    report = open_outbox(settings).flush(partial(resubmit, settings=settings))
    for receipt in report.accepted:
        _console.print(f"{receipt.relay} accepted {receipt.message_id}", soft_wrap=True)
    for entry, reason in report.failed:
        _errors.print(f"{entry}: {reason}", soft_wrap=True, markup=False)
    _console.print(f"{len(report.accepted)} accepted, {report.remaining} left in the outbox.")
    return 1 if report.failed or report.remaining else 0


def main() -> None:
    """Run a command; exit with 0 if it did all, 1 if mail is left or an error was shown."""
    try:
        sys.exit(app())
    except EmailError as error:
        _errors.print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(1)


def _describe(candidate: catalog.Connected) -> str:
    try:
        return candidate.load().get_transport().name
    except RelayConfigurationError as error:
        return str(error)


def _default_delivery() -> str:
    settings = current_settings()
    if settings.default_delivery == "refuse":
        return "mail is refused"
    return f"mail is stored in {settings.outbox_path}"
