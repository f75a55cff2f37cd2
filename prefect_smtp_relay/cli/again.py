"""Asks again for what a check found to be wrong; every other answer is kept."""

from __future__ import annotations

from typing import Any

from prefect_smtp_relay.blocks.relays import RelayBlock
from prefect_smtp_relay.cli.answer import complain
from prefect_smtp_relay.cli.gather import problem_of
from prefect_smtp_relay.cli.prompts import ask
from prefect_smtp_relay.transports.check_report import Report, Step

_ADDRESS, _SENDER = {"address": "Address of the SMTP server"}, {"from_address": "From address"}
_QUESTIONS = {
    "DNS": _ADDRESS,
    "connect": {**_ADDRESS, "port": "Port"},
    "login": {"username": "Username", "password": "The password"},
    "MAIL": _SENDER,
    "key": {"api_key": "The API key"},
    "sender": _SENDER,
}
"""What may be wrong where a step fails."""

_CREDENTIALS = ("login", "key")
_SECRETS = ("password", "api_key")


def questions_about(fields: dict[str, Any], report: Report) -> dict[str, str]:
    """Choose what to ask about a failed check; nothing where no answer to that can correct it.

    Args:
        fields: as they were checked.
        report: of the check.

    Returns:
        Each field that may have made it fail, and the question.
    """
    failed = next((step for step in report.steps if step.outcome == "failed"), None)
    if failed is None or not _may_be_mistyped(failed, fields):
        return {}
    return {
        name: question
        for name, question in _QUESTIONS.get(failed.name, {}).items()
        if name not in _SECRETS or fields.get(name)  # one that is in a file is changed there
    }


def ask_again(block: type[RelayBlock], questions: dict[str, str]) -> dict[str, Any]:
    """Ask for the fields that may have made a check fail.

    Args:
        block: the block type.
        questions: as `questions_about` chose them.

    Returns:
        The fields that were answered anew: an empty answer keeps a field.
    """
    answers = {name: _ask(block, name, question) for name, question in questions.items()}
    return {name: answer for name, answer in answers.items() if answer}


def _ask(block: type[RelayBlock], name: str, question: str) -> str:
    while answer := ask(f"{question} (empty to keep it)", is_secret=name in _SECRETS):
        if not (problem := problem_of(block, name, answer)):
            break
        complain(problem)
    return answer


def _may_be_mistyped(failed: Step, fields: dict[str, Any]) -> bool:
    """Credentials only where the server refused them."""
    if failed.name not in _CREDENTIALS:
        return True
    return failed.is_refused and not fields.get("oauth_token_url")
