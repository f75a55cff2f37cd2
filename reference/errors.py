"""The errors: when each is raised, and whether it is tried again."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from prefect_smtp_relay import exceptions
from prefect_smtp_relay.exceptions import EmailError
from reference.tables import code, table


def table_of_errors() -> str:
    """One row an error, each after its base, further in."""
    return table(["error", "tried again", "when"], _rows(EmailError, 0))


def _rows(error: type[EmailError], depth: int) -> Iterator[list[str]]:
    yield [f"{'&emsp;' * depth}{code(error.__name__)}", _again(error), _first_paragraph(error)]
    for child in error.__subclasses__():
        if child.__module__ == exceptions.__name__:
            yield from _rows(child, depth + 1)


def _first_paragraph(error: type[EmailError]) -> str:
    return (inspect.getdoc(error) or "").partition("\n\n")[0].replace("``", "`")


def _again(error: type[EmailError]) -> str:
    if "transient" in vars(error) and error is not EmailError:
        return "where all may pass later" if "Refused" in error.__name__ else "where one may pass"
    if error in {EmailError, exceptions.DeliveryError}:
        return ""
    if not error("").transient:
        return "no"
    return f"{error.max_retries} times at most" if error.max_retries else "yes"
