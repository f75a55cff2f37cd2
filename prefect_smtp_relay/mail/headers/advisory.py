"""Header fields that advise the reader's program: threads, importance, how to unsubscribe.

Each stands for one argument of the caller; what writes a field refuses the same one by hand.
"""

from __future__ import annotations

import re
import uuid
from typing import Literal, get_args

from prefect_smtp_relay.exceptions import InvalidHeader
from prefect_smtp_relay.mail.headers.fields import check_text

Importance = Literal["high", "normal", "low"]

HeaderFields = tuple[tuple[str, str], ...]
"""Names and values, in their order."""

_IMPORTANCE: dict[Importance, HeaderFields] = {
    # RFC 2156, section 5.3.6, has the first two; X-Priority is what Outlook and Apple Mail show.
    "high": (("Importance", "high"), ("Priority", "urgent"), ("X-Priority", "1")),
    "normal": (),
    "low": (("Importance", "low"), ("Priority", "non-urgent"), ("X-Priority", "5")),
}
_ROOT = re.compile(r"<thread-[0-9a-f-]{36}@[^<>@]+>")


def importance_headers(importance: Importance, free: HeaderFields) -> HeaderFields:
    """Write how urgent a message is; a normal one needs no header.

    Args:
        importance: ``high``, ``normal`` or ``low``.
        free: the caller's own fields.

    Raises:
        InvalidHeader: it is another word, or one of the fields is there by hand.
    """
    if not isinstance(importance, str) or importance not in _IMPORTANCE:
        words = ", ".join(get_args(Importance))
        raise InvalidHeader(f"importance: {importance!r} is none of {words}; write one of them.")
    written = _IMPORTANCE[importance]
    refuse_by_hand("importance", written, free)
    return written


def thread_headers(thread: str, domain: str) -> HeaderFields:
    """Name one root for all: what answers one message is one conversation (RFC 5322, 3.6.4).

    Nobody has the root itself: readers' programs group the answers all the same.

    Args:
        thread: the key; the same key and domain give the same root.
        domain: the sender's.
    """
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"prefect-smtp-relay:thread:{thread}")
    return _headers_of(f"<thread-{name}@{domain}>")


def _headers_of(root: str) -> HeaderFields:
    return (("In-Reply-To", root), ("References", root))


def check_thread(thread: str, free: HeaderFields) -> str:
    """Return the key of a thread if it can be one.

    Raises:
        InvalidHeader: it is not one line, or one of its fields is there by hand.
    """
    if check_text(thread, "thread"):
        refuse_by_hand("thread", thread_headers(thread, ""), free)
    return thread


def move_thread(fields: HeaderFields, old_domain: str, new_domain: str) -> HeaderFields:
    """Bring a message into the thread of its key in another sender's domain.

    Args:
        fields: of a message, whose key may be known no more.
        old_domain: in which `thread_headers` wrote them.
        new_domain: that of the new sender.
    """
    root, old = dict(fields).get("References", ""), f"@{old_domain}>"
    if not (_ROOT.fullmatch(root) and root.endswith(old)):
        return fields
    written = dict(_headers_of(f"{root.removesuffix(old)}@{new_domain}>"))
    return tuple((name, written.get(name, value)) for name, value in fields)


def refuse_by_hand(argument: str, written: HeaderFields, free: HeaderFields) -> None:
    """Refuse a field that an argument writes and the caller sets too.

    Raises:
        InvalidHeader: naming both.
    """
    ours = {name.lower() for name, _ in written}
    for name, _ in free:
        if name.lower() in ours:
            raise InvalidHeader(
                f"{argument}: it writes {name}, which is in headers too; take one out."
            )
