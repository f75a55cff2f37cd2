"""The context as plain data: a template reads texts, numbers, dates, lists and mappings only."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.networks import AnyUrl

from prefect_smtp_relay.exceptions import InvalidTemplate
from prefect_smtp_relay.rendering.quoting import clean
from prefect_smtp_relay.rendering.values import withhold

MOST_VALUES = 100_000
DEEPEST = 32

PLAIN = (bool, int, float, type(None), Decimal, datetime, date, time, timedelta)
"""Kept as they are."""

_SHOWN_AS_TEXT = (UUID, PurePath, AnyUrl, SecretStr, SecretBytes)


class Record(dict[str, Any]):
    """A mapping that knows its place in the context, for errors.

    Args:
        path: such as ``incident.owner``; blank for the context itself.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def path_of(self, name: object) -> str:
        """Where a key of this mapping is, or would be."""
        return f"{self.path}.{name}" if self.path else str(name)


def read_context(context: Mapping[str, Any]) -> Record:
    """Copy the ``context`` argument as plain data.

    Args:
        context: names to texts, numbers, dates, lists, mappings, dataclasses or Pydantic models;
            secrets of Pydantic's become asterisks.

    Raises:
        InvalidTemplate: another type, or too much of it; the text names the place.
    """
    if not isinstance(context, Mapping):
        raise InvalidTemplate(
            f"context: expected a mapping of names to values, got {type(context).__name__}; write"
            " context={...}."
        )
    return _Reader().read_mapping(context.items(), "", 0)


class _Reader:
    def __init__(self) -> None:
        self._count = 0

    def read(self, value: Any, path: str, depth: int) -> Any:
        self._count += 1
        if self._count > MOST_VALUES or depth > DEEPEST:
            raise InvalidTemplate(
                f"context: more than {MOST_VALUES:,} values, or deeper than {DEEPEST} levels, at"
                f" {path}. Pass only what the mail shows."
            )
        if isinstance(value, str) and not isinstance(value, Enum):
            return withhold(clean(str.__str__(value)))
        if isinstance(value, PLAIN) and not isinstance(value, Enum):
            return value
        if isinstance(value, _SHOWN_AS_TEXT):
            return withhold(clean(str(value)))
        return self._read_compound(value, path, depth)

    def _read_compound(self, value: Any, path: str, depth: int) -> Any:
        if isinstance(value, Enum):
            return self.read(value.value, path, depth + 1)
        if isinstance(value, Mapping):
            return self.read_mapping(value.items(), path, depth)
        if isinstance(value, BaseModel):
            return self.read_mapping(iter(value), path, depth)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self.read_mapping(_fields(value), path, depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.read(v, f"{path}[{n}]", depth + 1) for n, v in enumerate(value)]
        raise InvalidTemplate(
            f"context: {path} is of the type {type(value).__name__}; pass texts, numbers, dates,"
            " lists, mappings, dataclasses or Pydantic models."
        )

    def read_mapping(self, items: Any, path: str, depth: int) -> Record:
        record = Record(path)
        for name, value in items:
            key = self.read(name, path, depth)
            record[str(key)] = self.read(value, record.path_of(key), depth + 1)
        return record


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    return ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
