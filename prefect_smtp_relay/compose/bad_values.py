"""Options of a mail that a value made wrong: the mail goes out without them, and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from prefect_smtp_relay.compose.options import MailArguments
from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.mail.categories import read_categories
from prefect_smtp_relay.mail.headers.advisory import importance_headers
from prefect_smtp_relay.mail.headers.unsubscribe import unsubscribe_headers
from prefect_smtp_relay.mail.left_out import LeftOut
from prefect_smtp_relay.rendering.frame import check_web_address
from prefect_smtp_relay.rendering.labels import read_labels, read_tone

_CHECKS: dict[str, Callable[[Any], object]] = {
    "categories": read_categories,
    "custom_logo_url": lambda value: check_web_address(value, "custom_logo_url"),
    "importance": lambda value: importance_headers(value, ()),
    "labels": lambda value: read_labels(value, ""),
    "list_unsubscribe": lambda value: unsubscribe_headers(value, ()),
    "tone": read_tone,
}
"""What a mail can be without, and how each is checked."""


def leave_out_bad_values(
    filled: MailArguments, written: MailArguments, left_out: LeftOut
) -> MailArguments:
    """Leave out the options that are wrong because of a value of ``context=``.

    Args:
        filled: the arguments with their values.
        written: what the author wrote; what is the same there is checked later, as an error.
        left_out: notes what is left out, or refuses it.

    Raises:
        MessageError: bad data is refused.
    """
    kept: dict[str, Any] = {**filled}
    for name, check in _CHECKS.items():
        if kept.get(name) == written.get(name):
            continue
        try:
            check(kept[name])
        except MessageError as error:
            left_out.leave_out(error)
            del kept[name]
    return cast("MailArguments", kept)
