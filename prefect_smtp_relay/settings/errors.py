"""What Pydantic finds wrong, as an error that names the field and the fix."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from prefect_smtp_relay.exceptions import EmailError, InvalidField, RelayConfigurationError


def configuration_error(
    error: ValidationError, label: Callable[[str], str], only: str = ""
) -> RelayConfigurationError:
    """Say which fields are wrong and how to fix them, without any value.

    Args:
        error: what Pydantic found.
        label: names a field as people know it.
        only: the one field to tell about, which is wrong.
    """
    errors = error.errors(include_input=False, include_url=False)
    found = [_problem(each, label) for each in errors if only in {"", *each["loc"][:1]}]
    if len(found) == 1:
        return found[0]
    return RelayConfigurationError("; ".join(str(each).rstrip(".") for each in found) + ".")


def _problem(found: ErrorDetails, label: Callable[[str], str]) -> InvalidField:
    raised = found.get("ctx", {}).get("error")
    place = list(map(str, found["loc"]))
    if not isinstance(raised, EmailError):
        raised = InvalidField(str(raised) if raised else found["msg"])
    place = place or [raised.field]
    return InvalidField(raised.problem, raised.fix, field=": ".join([label(place[0]), *place[1:]]))
