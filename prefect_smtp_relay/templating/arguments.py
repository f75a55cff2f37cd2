"""The arguments of a mail as templates: with ``context=``, every text of a mail is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from prefect_smtp_relay.exceptions import InvalidMailbox
from prefect_smtp_relay.mail.left_out import LeftOut
from prefect_smtp_relay.rendering.dedent import dedent
from prefect_smtp_relay.rendering.values import MAX_TEXT_BYTES, Values
from prefect_smtp_relay.templating.context import Record, read_context
from prefect_smtp_relay.templating.places import Html, Line, Markdown, Place
from prefect_smtp_relay.templating.recipients import fill_recipients
from prefect_smtp_relay.templating.template import fill

_MAX_IN_HEADER = 500
_LINES = {"subject": _MAX_IN_HEADER, "preheader": _MAX_IN_HEADER} | dict.fromkeys(
    (
        *("thread", "idempotency_key", "list_unsubscribe", "importance", "categories"),
        *("tone", "labels"),
        *("custom_logo_url", "headers", "attachments", "inline_images"),
    ),
    0,
)
"""Arguments of one line, or of several such, and how much of a value they show."""

_RECIPIENTS = ("to", "cc", "bcc", "reply_to")
_ONE_MAILBOX = ("from_", "reverse_path")


def fill_arguments(
    arguments: Mapping[str, Any],
    context: Mapping[str, Any],
    max_bytes: int = MAX_TEXT_BYTES,
    left_out: LeftOut | None = None,
) -> tuple[dict[str, Any], Values]:
    """Fill values into every argument of a mail that is a text, or contains texts.

    Args:
        arguments: by the names that `prefect_smtp_relay.send_an_email` has for them.
        context: what the templates may name.
        max_bytes: of each filled text.
        left_out: takes what cannot be in a mail; without it a wrong recipient is an error.

    Returns:
        The arguments, and the values that the placeholders in ``body`` represent, for
        `prefect_smtp_relay.rendering.render`.

    Raises:
        InvalidTemplate: with the argument, the line, and what to change.
        InvalidMailbox: what comes out of a recipient is not a mailbox.
    """
    filler = _Filler(read_context(context), max_bytes, left_out)
    filled = {name: filler.fill(name, value) for name, value in arguments.items()}
    return filled, filler.values


class _Filler:
    def __init__(self, context: Record, max_bytes: int, left_out: LeftOut | None) -> None:
        self.values = Values()
        self._context = context
        self._max_bytes = max_bytes
        self._left_out = left_out

    def fill(self, name: str, value: Any) -> Any:
        if name in _LINES:
            clean = partial(self._left_out.clean, field=name) if self._left_out else str
            return self._lines(value, name, Line(_LINES[name], clean))
        if name in _RECIPIENTS:
            return fill_recipients(value, self._context, name, self._max_bytes, self._left_out)
        if name in _ONE_MAILBOX:
            return self._one_mailbox(value, name)
        if name == "body":
            return self._text(dedent(value), name, Markdown(self.values))
        places: dict[str, Callable[[], Place]] = {"html": Html, "text": Place}
        return self._text(value, name, places[name]()) if name in places else value

    def _text(self, value: Any, field: str, place: Place) -> Any:
        return fill(value, self._context, place, field, self._max_bytes)

    def _lines(self, value: Any, field: str, place: Place) -> Any:
        """Fill a text, or the texts of a list, of a ``(name, bytes)`` pair or of a mapping."""
        if isinstance(value, str):
            return self._text(value, field, place).strip() if "{" in value else value
        if isinstance(value, Mapping):
            return {
                self._lines(key, field, place): self._header(key, item, field, place)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple, set, frozenset)):
            filled = [self._lines(item, field, place) for item in value]
            return tuple(filled) if isinstance(value, tuple) else filled
        return value

    def _header(self, name: Any, value: Any, field: str, place: Place) -> Any:
        field = f"{field}[{name!r}]"
        if isinstance(name, str) and name.lower() == "sender":
            return str(self._one_mailbox(value, field))
        return self._lines(value, field, place)

    def _one_mailbox(self, value: Any, field: str) -> Any:
        if not isinstance(value, str) or "{" not in value:
            return value
        found = fill_recipients(value, self._context, field, self._max_bytes)
        if len(found) > 1:
            raise InvalidMailbox(f"is {len(found)} mailboxes", "Name one.", field=field)
        return found[0] if found else ""
