"""What SendGrid answered, as text that may be shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from prefect_smtp_relay.transports.masking import mask
from prefect_smtp_relay.transports.redaction import Redactor, visible

_MAX_EXCERPT = 300
_MAX_REASON = 2000
_INVISIBLE = re.compile(r"<(script|style)\b.*?</\1>|<[^<>]*>", re.DOTALL | re.IGNORECASE)
_ASKS_TO_WAIT = frozenset({429, 503})
_FLAT_OBJECT = re.compile(r"\{[^{}]*\}")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_SECONDS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, whose headers' names are in lower case, and what masks the key in it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    redactor: Redactor = field(default_factory=Redactor, repr=False)

    @property
    def status_line(self) -> str:
        """The code with its standard phrase: ``202 Accepted``."""
        return f"{self.status} {_PHRASES.get(self.status, '')}".strip()

    def explain(self) -> str:
        """Say in one line, in SendGrid's words, what is wrong: ``field: message (help)`` each.

        Of a body that is not SendGrid's it is an excerpt; of one that is packed, nothing.
        """
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            return ""
        text = self.body.decode("utf-8", "replace")
        if errors := list(_errors(text)):
            return self._show("; ".join(errors))[:_MAX_REASON]
        # Short before the tags are removed: that search is slow on a long text.
        return self._show(_INVISIBLE.sub(" ", self.redactor(text)[:4096]))[:_MAX_EXCERPT]

    def seconds_to_wait(self, now: datetime) -> int | None:
        """Read for how many seconds SendGrid wants no more mail, where it says so.

        Retry-After (RFC 9110, section 10.2.3) counts before SendGrid's X-RateLimit-Reset (seconds
        of the Unix epoch), and the answer's own Date before ``now``.
        """
        if self.status not in _ASKS_TO_WAIT:
            return None
        now = _read_date(self.headers.get("date", "")) or now
        retry_after = self.headers.get("retry-after", "").strip()
        if _SECONDS.fullmatch(retry_after):
            return int(retry_after)
        if (until := _read_date(retry_after)) is not None:
            return max(0, round((until - now).total_seconds()))
        reset = self.headers.get("x-ratelimit-reset", "").strip()
        return max(0, int(reset) - int(now.timestamp())) if _SECONDS.fullmatch(reset) else None

    @property
    def provider_id(self) -> str:
        """SendGrid's own id of the message, or empty."""
        return self._show(self.headers.get("x-message-id", ""))[:_MAX_EXCERPT]

    def _show(self, text: str) -> str:
        return visible(mask(self.redactor(text), reasons=True))


def _errors(text: str) -> Iterator[str]:
    """Read ``{"errors": [{"field": ..., "message": ..., "help": ...}]}``; any part may be missing.

    Of a text that is cut off, those errors count that are there as a whole.
    """
    document = _parse(text)
    listed = document.get("errors") if isinstance(document, dict) else None
    if document is None and text.startswith("{"):
        listed = [_parse(found) for found in _FLAT_OBJECT.findall(text)]
    for error in listed if isinstance(listed, list) else []:
        field, message, advice = (_text(error, key) for key in ("field", "message", "help"))
        if message:
            yield (f"{field}: " if field else "") + message + (f" ({advice})" if advice else "")


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _text(error: Any, key: str) -> str:
    value = error.get(key) if isinstance(error, dict) else None
    return value.strip() if isinstance(value, str) else ""


def _read_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
