"""Collects a block's fields: from a preset, the environment, the options, and the person."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from pydantic import ValidationError

from prefect_smtp_relay.blocks.base import wrong_fields
from prefect_smtp_relay.blocks.environment import fields_from_environment, variable
from prefect_smtp_relay.blocks.relays import SMTP, RelayBlock, SendGrid
from prefect_smtp_relay.blocks.secret_sources import fields_of
from prefect_smtp_relay.cli.answer import UsageError, complain
from prefect_smtp_relay.cli.preset import known
from prefect_smtp_relay.cli.prompts import ask, is_interactive, read_secret
from prefect_smtp_relay.exceptions import InvalidField
from prefect_smtp_relay.settings.errors import configuration_error

B = TypeVar("B", bound=RelayBlock)

_FROM = {"from_address": ("From address where a flow names none (empty for none)", "")}
_QUESTIONS: dict[type[RelayBlock], dict[str, tuple[str, str]]] = {
    SMTP: {
        "address": ("Address of the SMTP server", ""),
        "port": ("Port", "587"),
        "username": ("Username (empty for none)", ""),
        **_FROM,
    },
    SendGrid: _FROM,
}
"""What a person is asked, with the default."""

_OAUTH_MECHANISMS = ("xoauth2", "oauthbearer")
_ASK_FOR_ACCESS = "The OAuth access token (to fetch tokens, press Ctrl-C and use --oauth-token-url)"

_OAUTH_SECRETS = {
    "oauth_client_secret": "The OAuth client secret (empty for none)",
    "oauth_refresh_token": "The OAuth refresh token (empty for client credentials)",
}
"""What a person is asked where there is a token URL, without an echo."""


def gather(
    block: type[RelayBlock],
    given: dict[str, Any],
    *,
    preset: str | None = None,
    from_env: bool = False,
    secret_from_stdin: bool = False,
    only_secret: bool = False,
) -> dict[str, Any]:
    """Collect fields; an option goes before the environment, and that before a preset.

    Args:
        block: the block type.
        given: from options.
        preset: the name of one.
        from_env: read the environment, and ask nobody.
        secret_from_stdin: the first line of stdin is the password or key.
        only_secret: ask for nothing but that.

    Raises:
        UsageError: something is missing, and nobody can be asked.
    """
    fields: dict[str, Any] = {}
    if preset is not None:
        fields |= _preset_fields(preset)
    if from_env:
        fields |= _from_environment(block)
    fields |= given
    if secret_from_stdin:
        fields[_secret_of(block)] = read_secret()
    elif is_interactive() and not from_env:
        if not only_secret:
            _ask_for_fields(block, fields, is_known_service=preset is not None)
        if _needs_secret(block, fields):
            _ask_for_secret(block, fields)
        if fields.get("oauth_token_url"):
            _ask_for_oauth_secrets(fields)
    _refuse_missing(block, fields, from_env=from_env)
    return fields


def build(block: type[B], fields: dict[str, Any], *, from_env: bool = False) -> B:
    """Make the block.

    Args:
        block: the block type.
        fields: its fields.
        from_env: name a wrong field by its variable.

    Raises:
        UsageError: a field is wrong; the text names it and the fix, without its value.
    """
    try:
        return block(**fields)
    except ValidationError as error:
        wrong = wrong_fields(block, error)
        if from_env:
            wrong = configuration_error(error, partial(variable, block))
        raise UsageError(str(wrong)) from None


def _from_environment(block: type[RelayBlock]) -> dict[str, Any]:
    try:
        return fields_from_environment(block)
    except InvalidField as error:
        raise UsageError(str(error)) from None


def _preset_fields(name: str) -> dict[str, Any]:
    preset = known(name)
    is_fixed = " " not in preset.username
    return {**preset.settings, **({"username": preset.username} if is_fixed else {})}


def _secret_of(block: type[RelayBlock]) -> str:
    return "password" if block is SMTP else "api_key"


def _ask_for_fields(
    block: type[RelayBlock], fields: dict[str, Any], *, is_known_service: bool
) -> None:
    for name, (question, default) in _QUESTIONS[block].items():
        if name not in fields and not (name == "port" and is_known_service):
            fields[name] = _valid(block, name, partial(ask, question, default))


def _ask_for_secret(block: type[RelayBlock], fields: dict[str, Any]) -> None:
    name = _secret_of(block)
    is_token = fields.get("authentication") in _OAUTH_MECHANISMS
    label = _ASK_FOR_ACCESS if is_token else f"The {_words(name)}"
    question = partial(ask, label, is_secret=True)
    while not (answer := _valid(block, name, question)):
        option = _option(fields_of(name)[1])
        complain(f"It is empty. Enter it; to use {option} instead, press Ctrl-C to stop.")
    fields[name] = answer


def _ask_for_oauth_secrets(fields: dict[str, Any]) -> None:
    for name, question in _OAUTH_SECRETS.items():
        if not is_given(name, fields):
            fields[name] = _valid(SMTP, name, partial(ask, question, is_secret=True))


def _valid(block: type[RelayBlock], name: str, ask_once: Callable[[], str]) -> str:
    """Ask until the field takes the answer, which only this question can still correct."""
    while problem := problem_of(block, name, answer := ask_once()):
        complain(problem)
    return answer


def problem_of(block: type[RelayBlock], name: str, answer: str) -> str:
    """Say why a field does not take an answer; empty where it does."""
    try:
        block(**{name: answer})
    except ValidationError as error:
        if name in {each["loc"][0] for each in error.errors() if each["loc"]}:
            return str(wrong_fields(block, error, only=name))
    return ""


def _needs_secret(block: type[RelayBlock], fields: dict[str, Any]) -> bool:
    is_fetched = bool(fields.get("oauth_token_url"))
    is_wanted = block is not SMTP or (bool(fields.get("username")) and not is_fetched)
    return is_wanted and not is_given(_secret_of(block), fields)


def is_given(secret: str, fields: dict[str, Any]) -> bool:
    """Whether a secret is among the fields, or where it is."""
    return any(map(fields.get, fields_of(secret)))


def _refuse_missing(block: type[RelayBlock], fields: dict[str, Any], *, from_env: bool) -> None:
    required = [name for name, field in block.model_fields.items() if field.is_required()]
    missing = [name for name in required if not fields.get(name)]
    secret = _secret_of(block)
    if block is not SMTP and _needs_secret(block, fields):
        missing.append(secret)
    if from_env and missing:
        raise UsageError(f"set {', '.join(variable(block, name) for name in missing)}.")
    if "address" in missing:
        raise UsageError("--address is missing. Give it, or --preset, or --from-env.")
    if (
        not from_env
        and fields.get("oauth_token_url")
        and not any(is_given(name, fields) for name in _OAUTH_SECRETS)
    ):
        names = " or ".join(variable(block, name) for name in _OAUTH_SECRETS)
        raise UsageError(
            f"the secrets of OAuth are missing. Set {names} and use --from-env, or run this in a"
            " terminal to be asked."
        )
    if not from_env and _needs_secret(block, fields):
        option, name = _option(secret), variable(block, secret)
        raise UsageError(
            f"the {_words(secret)} is missing. Pipe it in with {option}-stdin, or name its file by"
            f" {option}-file, or set {name} and use --from-env, or run this in a terminal to be"
            " asked."
        )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _words(name: str) -> str:
    return {"password": "password", "api_key": "API key"}[name]
