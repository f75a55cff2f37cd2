"""The commands put together, and how a command's end becomes an exit code.

A command's module is loaded when the command is run: help, version and presets need no Prefect.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from prefect_smtp_relay._version import __version__
from prefect_smtp_relay.cli.answer import PROBLEM, WRONG_USE, Answer, UsageError, show
from prefect_smtp_relay.cli.examples import examples_of
from prefect_smtp_relay.exceptions import EmailError, MessageError
from prefect_smtp_relay.transports.masking import MASK, mask

_INTERRUPTED = 130
"""As shells count a program that Ctrl-C ended."""

_DRAIN_SECONDS = 5
"""For the events of a mail to reach Prefect; an API that is down takes none."""

_START_UP_SECONDS = "120"
"""For a temporary server, on a busy or slow host."""

_SECRET_OPTIONS = (
    "--password",
    "--api-key",
    "--key",
    "--oauth-client-secret",
    "--oauth-refresh-token",
)
_NO_SECRETS = (
    "A password or key is not an option: command lines are kept in histories, and shown to other"
    " users of this host. Use --password-stdin or --api-key-stdin, --from-env, or a terminal to be"
    " asked. Change the one that was just typed."
)

_HELP = {
    "init": "Set up what people need who work in Prefect's UI: block types, deployments that check"
    " a relay and send a test mail, and automations.\n\nWrites prefect.yaml and automations.yaml,"
    " and deploys what they say. Run it again after you have edited them; where nothing is new, it"
    " changes nothing.",
    "connect smtp": "Check an SMTP server, and save it as a Prefect block; ask for what is missing."
    "\n\nThe password is asked for, read from stdin or from SMTP_PASSWORD. There is no option for"
    " it: a command line is kept in the shell's history, and shown to other users of this host. The"
    " same is true of SMTP_OAUTH_CLIENT_SECRET and SMTP_OAUTH_REFRESH_TOKEN.",
    "connect sendgrid": "Check a SendGrid account, and save it as a Prefect block; ask for what is"
    " missing.\n\nThe API key is asked for, read from stdin or from SENDGRID_API_KEY. There is no"
    " option for it: a command line is kept in the shell's history, and shown to other users of"
    " this host.",
    "disconnect": "Delete a relay's block document, and say what the next mail will use.",
    "status": "Show the connected relays, which one takes the next mail and why, and the outbox."
    "\n\nExit code 1 if a wrong block makes the next mail fail.",
    "send": "Send one mail at once, without retries, and show its receipt. A failed one is not"
    " stored.",
    "preview": "Write the mail of a Markdown file as HTML, plain text and .eml; submit nothing."
    "\n\nTo see the mails of a flow, run it with the setting capture_to:"
    " PREFECT_INTEGRATIONS_SMTP_RELAY_CAPTURE_TO=mails python flow.py",
    "check": "Check a relay step by step, each with its time, and recommend settings; submit"
    " nothing.\n\nWithout a relay and without options, the one that takes the next mail is checked;"
    " with options, a server that is not connected. Exit code 1 if a step fails.",
    "preset": "List the mail services that are known by name, or show one with what to prepare.",
    "outbox list": "List the stored mails, oldest first: for whom, since when, and why.",
    "outbox show": "Show a stored mail: who gets it, why it waits, and what it says."
    "\n\nBcc recipients are only counted.",
    "outbox flush": "Submit the stored mails through the connected relay.\n\nAt a terminal you are"
    " asked first where it is more than one mail, or one that is older than an hour. A mail that a"
    " relay may have accepted already is only submitted where it is named. Exit code 1 if mail is"
    " left.",
    "outbox discard": "Remove stored mails for good.\n\nAt a terminal you are asked first; without"
    " one, --yes is needed. What a flush is submitting at the moment is left to it: exit code 1.",
    "outbox import": "Move the mails into the spool that an earlier version stored in a directory.",
}

_GROUPS = {
    "connect": "Check a relay, and save it as a Prefect block.",
    "outbox": "Mail that no relay has accepted yet.",
}

app = App(
    name="prefect-smtp-relay",
    version=__version__,
    help_format="markdown",
    help_epilogue=examples_of(""),
    help="E-mail from Prefect flows: connect a relay, check it, look at mail, and see what waits."
    "\n\nEvery command takes --json. Exit codes: 0 done, 1 a relay or a mail has a problem,"
    " 2 wrong use, 130 interrupted.",
)
_groups = {
    name: App(name=name, help=text, help_epilogue=examples_of(name))
    for name, text in _GROUPS.items()
}
for _group in _groups.values():
    app.command(_group)
for _words, _help in _HELP.items():
    _first, _, _second = _words.partition(" ")
    _home = f"prefect_smtp_relay.cli.{_first}:{_words.replace(' ', '_')}"
    _groups.get(_first, app).command(
        _home, name=_second or _first, help=_help, help_epilogue=examples_of(_words)
    )
app.register_install_completion_command(help="Complete commands and options in this shell.")


def main() -> None:
    """Run the command that the process was started with, and end the process.

    The events of a mail are handed over before, for a few seconds at most. What is logged for flows
    stays out of the terminal: the answer says the same. That is so until the process has ended, for
    Prefect logs while it shuts down, too.
    """
    logging.disable(logging.CRITICAL)
    # Prefect's services heed this setting alone, and keep it in the threads that they start.
    os.environ["PREFECT_LOGGING_INTERNAL_LEVEL"] = "CRITICAL"
    # A temporary server makes its database first, for longer than the 20 s that Prefect waits.
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", _START_UP_SECONDS)
    try:
        code = run(sys.argv[1:])
        if worker := sys.modules.get("prefect.events.worker"):
            worker.EventsWorker.drain_all(timeout=_DRAIN_SECONDS)
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
        wrong = (
            UsageError(_NO_SECRETS) if _has_secret_option(words) else _without_values(error, words)
        )
        return _fail(wrong, WRONG_USE, as_json="--json" in words)
    as_json = bool(bound.arguments.get("as_json"))
    try:
        return command(*bound.args, **bound.kwargs) or 0
    except (UsageError, MessageError) as error:
        return _fail(error, WRONG_USE, as_json=as_json)
    except EmailError as error:
        return _fail(error, PROBLEM, as_json=as_json)


def _has_secret_option(words: Sequence[str]) -> bool:
    """Whether somebody gave a secret as an option, so that it is in the shell's history."""
    return any(word.partition("=")[0] in _SECRET_OPTIONS for word in words)


def _without_values(error: CycloptsError, words: Sequence[str]) -> UsageError:
    """Say what is wrong with a command line; each value may be a secret in the wrong place."""
    text = str(error)
    for value in sorted(filter(None, map(_value, words[1:])), key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(value)}(?![\w-])", MASK, text)
    return UsageError(mask(text))


def _value(word: str) -> str:
    """The part of a word that is not an option's name; empty where there is none."""
    name, _, value = word.partition("=")
    return value if name.startswith("-") else word


def _fail(error: Exception, code: int, *, as_json: bool) -> int:
    text = str(error)
    answer = Answer({"error": text, "type": type(error).__name__}, complaints=[text], code=code)
    return show(answer, as_json=as_json)
