"""The context as plain data: a template reads texts, numbers, dates, lists and mappings only."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pydantic import BaseModel, RootModel, SecretBytes, SecretStr
from pydantic.networks import AnyUrl

from prefect_smtp_relay.exceptions import InvalidTemplate
from prefect_smtp_relay.rendering.quoting import clean
from prefect_smtp_relay.rendering.values import withhold

MAX_VALUES = 100_000
MAX_DEPTH = 32

PLAIN = (bool, int, float, type(None), Decimal, datetime, date, time, timedelta)
"""Kept as they are."""

_SHOWN_AS_TEXT = (UUID, PurePath, AnyUrl, SecretStr, SecretBytes, IPv4Address, IPv6Address)
_LISTS = (list, tuple, set, frozenset)
_OF_DATA_FRAMES = frozenset({"numpy", "pandas"})
MAX_BITS = 1024
"""Of a whole number in templates; computing with longer ones can take minutes."""
_MAX_WRITTEN_BITS = 14_000
"""Python writes no decimal number of more than 4,300 digits."""


class Record(dict[str, Any]):
    """A mapping that knows its place in the context, for errors.

    Args:
        path: such as ``incident.owner``; empty for the context itself.
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
        context: names to texts, numbers, dates, lists, mappings, dataclasses, Pydantic models,
            exceptions, or what NumPy and pandas have of these; Pydantic's secrets become asterisks.

    Raises:
        InvalidTemplate: another type, or too much of it; the text names the place.
    """
    if not isinstance(context, Mapping):
        raise InvalidTemplate(
            f"expected a mapping of names to values, got {type(context).__name__}",
            "Write context={...}.",
            field="context",
        )
    return _Reader().read_mapping(context.items(), "", 0)


class _Reader:
    def __init__(self) -> None:
        self._count = 0

    def read(self, value: Any, path: str, depth: int) -> Any:
        self._count += 1
        if self._count > MAX_VALUES or depth > MAX_DEPTH:
            raise InvalidTemplate(
                f"more than {MAX_VALUES:,} values, or deeper than {MAX_DEPTH} levels, at {path}",
                "Pass only what the mail shows.",
                field="context",
            )
        if isinstance(value, Enum):
            return self.read(value.value, path, depth + 1)
        if type(value).__module__.partition(".")[0] in _OF_DATA_FRAMES:
            value = _as_python(value)
        if isinstance(value, PLAIN):
            return _small(value)
        if isinstance(value, str):
            return withhold(clean(str.__str__(value)))
        if isinstance(value, _SHOWN_AS_TEXT):
            return withhold(clean(str(value)))
        if isinstance(value, BaseException):
            return withhold(clean(str(value) or type(value).__name__))
        return self._read_compound(value, path, depth)

    def _read_compound(self, value: Any, path: str, depth: int) -> Any:
        if isinstance(value, Mapping):
            return self.read_mapping(value.items(), path, depth)
        if isinstance(value, RootModel):
            return self.read(value.root, path, depth + 1)
        if isinstance(value, BaseModel) or _is_dataclass(value):
            return self.read_mapping(_fields(value), path, depth)
        if isinstance(value, _LISTS):
            return [self.read(v, f"{path}[{n}]", depth + 1) for n, v in enumerate(value)]
        raise InvalidTemplate(
            f"{path} is of the type {type(value).__name__}",
            "Pass texts, numbers, dates, lists, mappings, dataclasses or Pydantic models.",
            field="context",
        )

    def read_mapping(self, items: Iterable[tuple[Any, Any]], path: str, depth: int) -> Record:
        record = Record(path)
        for name, value in items:
            key = self.read(name, path, depth)
            record[str(key)] = self.read(value, record.path_of(key), depth + 1)
        return record


def _small(value: Any) -> Any:
    """Show an enormous number as typed."""
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) > MAX_BITS:
        return str(value)
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return str(value) if value.bit_length() < _MAX_WRITTEN_BITS else hex(value)
    return value


def _as_python(value: Any) -> Any:
    """A scalar, an array or a table of NumPy or pandas; their missing values show as nothing."""
    dimensions = getattr(value, "ndim", 0)
    if dimensions:
        return value.to_dict("records") if hasattr(value, "columns") else list(value)
    kind, text = type(value).__name__, str(value)
    if text == "NaT" or kind == "NAType":
        return None
    if kind.startswith("float"):
        return float(text)  # item() makes 0.10000000149011612 of a float32 of 0.1
    if kind in {"datetime64", "timedelta64", "Period", "Interval"}:
        return text
    return value.item() if hasattr(value, "item") else value


def _is_dataclass(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, BaseModel):
        yield from value
        names: Iterable[str] = type(value).model_computed_fields
    else:
        names = (field.name for field in dataclasses.fields(value))
    for name in names:
        yield name, getattr(value, name)
