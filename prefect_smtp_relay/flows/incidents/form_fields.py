"""Fields of a form that may be left empty."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, HttpUrl, WithJsonSchema


def _may_be_empty(kind: str) -> tuple[BeforeValidator, WithJsonSchema]:
    """Draw a field that may be None as one of its own kind, and not as a choice of kind or None."""
    drawn = WithJsonSchema({"type": "string", "format": kind})
    return BeforeValidator(lambda value: value or None), drawn


def without_default(schema: dict[str, Any]) -> None:
    """A form would fill in null, which is not of the field's kind."""
    del schema["default"]


Time = Annotated[datetime | None, *_may_be_empty("date-time")]
Address = Annotated[HttpUrl | None, *_may_be_empty("uri")]
