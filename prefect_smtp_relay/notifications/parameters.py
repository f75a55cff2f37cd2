"""A run's parameters as lines of text, without the secrets in them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from prefect.blocks.core import Block
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.context import FlowRunContext, TaskRunContext
from pydantic import AnyUrl, BaseModel, SecretBytes, SecretStr

from prefect_smtp_relay.transports.masking import MASK, looks_secret, mask
from prefect_smtp_relay.transports.redaction import Redactor

_MIN_SECRET = 6
_MAX_ENTRIES = 20
_MAX_DEPTH = 4
_MAX_LINE = 300


class Masker:
    """Masks parameters, and remembers what it masked: a log may quote it."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def lines(self, parameters: Mapping[str, Any]) -> list[str]:
        """Write one line for each parameter, in JSON; long values are cut in the middle."""
        shown = self._mapping(parameters, 0)
        lines = (f"{name} = {_to_json(value)}" for name, value in shown.items())
        return [shorten(self.redact(line), _MAX_LINE) for line in lines]

    def redact(self, text: str) -> str:
        """Mask what looks like a secret, and what was masked in the parameters."""
        return mask(Redactor(self._secrets, mask=MASK)(text))

    def _mapping(self, values: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        if "block_type_slug" in values or "$ref" in values:
            return {"block": MASK}
        return {
            str(name): self._hide(value) if looks_secret(str(name)) else self._show(value, depth)
            for name, value in list(values.items())[:_MAX_ENTRIES]
        }

    def _show(self, value: Any, depth: int) -> Any:
        """Show plain values; of any other object only the type: its repr may hold anything."""
        if isinstance(value, (SecretStr, SecretBytes)):
            return self._hide(value.get_secret_value())
        if depth >= _MAX_DEPTH or isinstance(value, (Block, type)):
            return _type_of(value)
        if isinstance(value, Enum):
            return self._show(value.value, depth + 1)
        if isinstance(value, (bool, int, float)) or value is None:
            return value
        if isinstance(value, (str, date, timedelta, UUID, PurePath, AnyUrl)):
            return str(value)
        if isinstance(value, Mapping):
            return self._mapping(value, depth + 1)
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._show(entry, depth + 1) for entry in list(value)[:_MAX_ENTRIES]]
        fields = _fields(value)
        return _type_of(value) if fields is None else self._mapping(fields, depth + 1)

    def _hide(self, value: Any) -> str:
        if isinstance(value, (SecretStr, SecretBytes)):
            value = value.get_secret_value()
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        if isinstance(value, str) and len(value) >= _MIN_SECRET and value.strip("*"):
            self._secrets |= {value, _to_json(value)[1:-1], repr(value)[1:-1]}
        return MASK


def parameters_of(run: FlowRun | TaskRun) -> Mapping[str, Any]:
    """Read the parameters of a run: the values themselves where it runs in this context.

    The Prefect API has those of flow runs only, and as JSON.
    """
    if isinstance(run, TaskRun):
        task = TaskRunContext.get()
        return task.parameters if task and task.task_run.id == run.id else {}
    flow = FlowRunContext.get()
    is_own = flow is not None and flow.flow_run and flow.flow_run.id == run.id
    return (flow.parameters if flow and is_own else None) or run.parameters


def shorten(text: str, most: int) -> str:
    """Cut a text in the middle: a traceback says most at its end.

    Args:
        text: of any length.
        most: how many characters may stay, about half of them from each end.
    """
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} … {len(text) - 2 * half} characters left out … {text[-half:]}"


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _fields(value: Any) -> dict[str, Any] | None:
    if isinstance(value, BaseModel):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def _type_of(value: Any) -> str:
    kind = value if isinstance(value, type) else type(value)
    return f"<{kind.__module__}.{kind.__qualname__}>"
