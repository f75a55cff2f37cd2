"""A block's secrets, wherever they are: in the field itself, in a file, or in a variable."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from pydantic import SecretStr

from prefect_smtp_relay.blocks.base import RelayBlock, title
from prefect_smtp_relay.blocks.secret_file import read_secret_file
from prefect_smtp_relay.exceptions import EmailError, InvalidField, RelayConfigurationError
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.transports.check_report import Report, StepLog


def fields_of(name: str) -> tuple[str, str, str]:
    """Where a secret may be: ``password``, ``password_file`` or ``password_variable``."""
    return name, f"{name}_file", f"{name}_variable"


def chosen(block: RelayBlock, name: str) -> str:
    """The field that a secret is in, or an empty text where there is none."""
    return next((field for field in fields_of(name) if getattr(block, field)), "")


def refuse_several(block: RelayBlock, names: Iterable[str]) -> None:
    """Refuse a secret that is in more than one place.

    Raises:
        InvalidField: naming both fields.
    """
    for name in names:
        given = [field for field in fields_of(name) if getattr(block, field)]
        if len(given) > 1:
            other = title(type(block), given[1])
            raise InvalidField(f"is set, and so is {other}", "Clear one of them.", field=given[0])


def elsewhere(block: RelayBlock, names: Iterable[str]) -> dict[str, str]:
    """Which of a block's secrets are not in the block, and the field that says where they are."""
    return {name: field for name in names if (field := chosen(block, name)) not in {"", name}}


def read_secret(
    block: RelayBlock, name: str, check: Callable[[SecretStr], SecretStr] | None = None
) -> SecretStr:
    """Return a secret as it is now.

    Args:
        block: a valid one.
        name: the secret's own field.
        check: of a value that was not in the block, which has checked its own.

    Returns:
        An empty one where there is none.

    Raises:
        RelayConfigurationError: it cannot be read; naming block and field, without any secret.
    """
    field = chosen(block, name)
    if field in {"", name}:
        own: SecretStr = getattr(block, name)
        return own
    return _read(block, field, f"{block.relay_name}: ", check)


def check_with_secrets(
    block: RelayBlock,
    names: Iterable[str],
    steps: Sequence[str],
    check: Callable[[], Report],
    valid: Callable[[SecretStr], SecretStr] | None = None,
) -> Report:
    """Check a relay once its secrets could be read: each that is not in the block is a step.

    Args:
        block: a valid one.
        names: of its secrets.
        steps: of the check, which are not reached where a secret cannot be read.
        check: takes them.
        valid: as `check` of `read_secret`.
    """
    log = StepLog(())
    with suppress(EmailError):
        for field in elsewhere(block, names).values():
            with log.step(_step_name(block, field)) as finding:
                _read(block, field, check=valid)
                finding.ok(f"read from {getattr(block, field)}")
    taken = log.finish()
    if any(step.outcome == "failed" for step in taken):
        return Report(transport=block.transport_name, steps=(*taken, *StepLog(steps).finish()))
    report = check()
    return report.model_copy(update={"steps": (*taken, *report.steps)})


def _read(
    block: RelayBlock,
    field: str,
    place: str = "",
    check: Callable[[SecretStr], SecretStr] | None = None,
) -> SecretStr:
    read = _read_variable if field.endswith("_variable") else _read_file
    try:
        secret = read(getattr(block, field))
        return check(secret) if check else secret
    except EmailError as error:
        failure = error.copy(field=f"{place}{title(type(block), field)}")
    raise failure  # without the frames in which the secret was looked at


def _read_file(path: str) -> SecretStr:
    return read_secret_file(path, current_settings().secret_files)


def _read_variable(name: str) -> SecretStr:
    text = os.environ.get(name, "").rstrip("\r\n")
    if not text.strip():
        problem = "is empty" if name in os.environ else "is not set"
        raise RelayConfigurationError(
            f"the environment variable {name} {problem} in this process",
            "Set it wherever mail is sent: for workers and their flow runs, and for the server,"
            " whose notifications read it too.",
        )
    return SecretStr(text)


def _step_name(block: RelayBlock, field: str) -> str:
    """Name a step like its field: ``password file``, ``API key file``."""
    words = str(type(block).model_fields[field].title).removeprefix("Advanced: ")
    return words if words[1].isupper() else words[0].lower() + words[1:]
