"""The commands put together, and how a command's end becomes an exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_LOGGING_INTERNAL_LEVEL, temporary_settings

from prefect_smtp_relay._version import __version__
from prefect_smtp_relay.cli.answer import PROBLEM, WRONG_USE, Answer, UsageError, show
from prefect_smtp_relay.cli.check import check
from prefect_smtp_relay.cli.connect import connect_sendgrid, connect_smtp
from prefect_smtp_relay.cli.disconnect import disconnect
from prefect_smtp_relay.cli.outbox import flush, list_entries
from prefect_smtp_relay.cli.preset import preset
from prefect_smtp_relay.cli.preview import preview
from prefect_smtp_relay.cli.send import send
from prefect_smtp_relay.cli.status import status
from prefect_smtp_relay.exceptions import EmailError, MessageError

_INTERRUPTED = 130
"""As shells count a program that Ctrl-C ended."""

_DRAIN_SECONDS = 5
"""For the events of a mail to reach Prefect; an API that is down takes none."""

_SECRET_OPTIONS = (
    "--password",
    "--api-key",
    "--key",
    "--oauth-client-secret",
    "--oauth-refresh-token",
)
_NO_SECRETS = (
    "A password or key is no option: command lines are kept in histories, and shown to other users"
    " of this host. Use --password-stdin or --api-key-stdin, --from-env, or a terminal to be asked."
    " Change the one that was just typed."
)

app = App(
    name="prefect-smtp-relay",
    version=__version__,
    help_format="markdown",
    help="E-mail from Prefect flows: connect a relay, check it, look at mail, and see what waits."
    "\n\nEvery command takes --json. Exit codes: 0 done, 1 a relay or a mail has a problem,"
    " 2 wrong use, 130 interrupted.",
)
connect_app = App(name="connect", help="Check a relay, and save it as a Prefect block.")
outbox_app = App(name="outbox", help="Mail that no relay has accepted yet.")

connect_app.command(connect_smtp, name="smtp")
connect_app.command(connect_sendgrid, name="sendgrid")
outbox_app.command(list_entries, name="list")
outbox_app.command(flush)
app.command(connect_app)
for command in (disconnect, status, send, preview, check, preset):
    app.command(command)
app.command(outbox_app)


def main() -> None:
    """Run the command that the process was started with, and end the process.

    The events of a mail are handed over before, for a few seconds at most. What is logged for flows
    stays out of the terminal: the answer says the same. That holds until the process has ended, for
    Prefect logs while it shuts down, too.
    """
    logging.disable(logging.CRITICAL)
    # Prefect's services heed this setting alone, and keep it in the threads that they start.
    with temporary_settings({PREFECT_LOGGING_INTERNAL_LEVEL: "CRITICAL"}):
        try:
            code = run(sys.argv[1:])
            EventsWorker.drain_all(timeout=_DRAIN_SECONDS)
        except KeyboardInterrupt:
            code = _INTERRUPTED
    sys.exit(code)


def run(words: Sequence[str]) -> int:
    """Run a command.

    Args:
        words: the arguments, without the program's name.

    Returns:
        The exit code.
    """
    try:
        command, bound, *_ = app.parse_args(list(words), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        wrong = UsageError(_NO_SECRETS) if _holds_secret(words) else error
        return _fail(wrong, WRONG_USE, as_json="--json" in words)
    as_json = bool(bound.arguments.get("as_json"))
    try:
        return command(*bound.args, **bound.kwargs) or 0
    except (UsageError, MessageError) as error:
        return _fail(error, WRONG_USE, as_json=as_json)
    except EmailError as error:
        return _fail(error, PROBLEM, as_json=as_json)


def _holds_secret(words: Sequence[str]) -> bool:
    """Whether somebody gave a secret, which an error about the wrong option would repeat."""
    return any(word.partition("=")[0] in _SECRET_OPTIONS for word in words)


def _fail(error: Exception, code: int, *, as_json: bool) -> int:
    text = str(error)
    answer = Answer({"error": text, "type": type(error).__name__}, complaints=[text], code=code)
    return show(answer, as_json=as_json)
