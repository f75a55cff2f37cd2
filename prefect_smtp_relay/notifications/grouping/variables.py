"""What is counted is kept in Prefect's Variables: a name can be created once, whoever asks.

The server's unique index on names makes creation exclusive over processes, hosts and servers.
Its deletion is not: two that delete at once may both be told that they did.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from pydantic import BaseModel

from prefect_smtp_relay.runtime.requests import request

_PAGE = 200


class Variable(BaseModel):
    """A Variable as the API tells it; `created` is by the server's clock."""

    id: UUID
    name: str
    value: Any
    created: datetime


def create(name: str, value: dict[str, Any]) -> bool:
    """Create a Variable.

    Returns:
        Whether this call did: False where the name was there.
    """
    ours = {**value, "by": uuid.uuid4().hex}
    try:
        request("POST", "/variables/", json={"name": name, "value": ours})
    except httpx.HTTPStatusError as error:
        if error.response.status_code != httpx.codes.CONFLICT:
            raise
        # Prefect's client asks again where an answer was lost: it may be our own.
        found = read(name)
        return found is not None and found.value.get("by") == ours["by"]
    return True


def read(name: str) -> Variable | None:
    """Read a Variable, or None where there is none of the name."""
    found = _ask_for({"name": {"any_": [name]}}, 0)
    return found[0] if found else None


def read_all(part: str) -> Iterator[Variable]:
    """Read the Variables that have a text in their names, each once; new ones may be left out."""
    seen: set[UUID] = set()
    for offset in range(0, 1_000_000, _PAGE):
        page = _ask_for({"name": {"like_": part}}, offset)
        yield from (each for each in page if each.id not in seen)
        seen |= {each.id for each in page}
        if len(page) < _PAGE:
            return


def update(variable: Variable, **changes: Any) -> None:
    """Change a part of the value, as long as it is this Variable and no later one of its name."""
    _unless_gone("PATCH", variable, json={"value": variable.value | changes})


def delete(variable: Variable) -> None:
    """Delete this Variable, and no later one of its name."""
    _unless_gone("DELETE", variable)


def _unless_gone(method: Any, variable: Variable, **details: Any) -> None:
    try:
        request(method, "/variables/{id}", path_params={"id": str(variable.id)}, **details)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != httpx.codes.NOT_FOUND:
            raise


def _ask_for(variables: dict[str, Any], offset: int) -> list[Variable]:
    query = {"variables": variables, "offset": offset, "limit": _PAGE}
    answer = request("POST", "/variables/filter", json=query).json()
    return [Variable.model_validate(each) for each in answer]
