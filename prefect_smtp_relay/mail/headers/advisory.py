"""Header fields that advise the reader's program: threads, importance, that no person wrote it.

Each is written for one argument of the caller, or for every message; what an argument writes
cannot be set by hand as well.
"""

from __future__ import annotations

import re
import uuid
from typing import Literal, get_args

from prefect_smtp_relay.exceptions import InvalidHeader
from prefect_smtp_relay.mail.headers.fields import HeaderFields, check_text

Importance = Literal["high", "normal", "low"]

_IMPORTANCE: dict[Importance, HeaderFields] = {
    # RFC 2156, section 5.3.6, has the first two; X-Priority is what Outlook and Apple Mail show.
    "high": (("Importance", "high"), ("Priority", "urgent"), ("X-Priority", "1")),
    "normal": (),
    "low": (("Importance", "low"), ("Priority", "non-urgent"), ("X-Priority", "5")),
}
_AUTO_SUBMITTED = ("Auto-Submitted", "auto-generated")
_SUPPRESS = ("X-Auto-Response-Suppress", "OOF, AutoReply")
"""Exchange answers automatically generated mail all the same, unless it is told not to."""
AUTOMATIC = frozenset({_AUTO_SUBMITTED[0].lower(), _SUPPRESS[0].lower()})
"""Names of fields that every message has unless the caller leaves them empty."""

_ROOT = re.compile(r"<thread-[0-9a-f-]{36}@[^<>@]+>")


def automatic_headers(free: HeaderFields) -> HeaderFields:
    """Add that a program wrote the message (RFC 3834), unless the caller says otherwise.

    Args:
        free: the caller's own fields. An empty Auto-Submitted leaves the field out; with that, or
            with ``no``, nothing asks readers' programs not to answer.

    Returns:
        All of them, ours first.
    """
    given = {name.lower(): value for name, value in free}
    program_wrote_it = given.get("auto-submitted", "auto-generated").lower() not in {"", "no"}
    ours = (_AUTO_SUBMITTED, *((_SUPPRESS,) if program_wrote_it else ()))
    added = tuple((name, value) for name, value in ours if name.lower() not in given)
    return added + tuple(f for f in free if f[1] or f[0].lower() not in AUTOMATIC)


def importance_headers(importance: Importance | None, free: HeaderFields) -> HeaderFields:
    """Write how urgent a message is; a normal one needs no header.

    Args:
        importance: ``high``, ``normal`` or ``low``; empty is normal.
        free: the caller's own fields.

    Raises:
        InvalidHeader: it is another word, or one of the fields is there by hand.
    """
    importance = importance or "normal"
    if not isinstance(importance, str) or importance not in _IMPORTANCE:
        words = ", ".join(get_args(Importance))
        raise InvalidHeader(
            f"{importance!r} is not one of {words}", "Write one of them.", field="importance"
        )
    written = _IMPORTANCE[importance]
    refuse_by_hand("importance", written, free)
    return written


def thread_root(thread: str, domain: str) -> str:
    """Make the Message-ID of a thread's first message, sent or not.

    Args:
        thread: the key; the same key and domain give the same root.
        domain: the sender's.
    """
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"prefect-smtp-relay:thread:{thread}")
    return f"<thread-{name}@{domain}>"


def thread_headers(root: str) -> HeaderFields:
    """Answer a thread's first message: that is one conversation (RFC 5322, section 3.6.4)."""
    return (("In-Reply-To", root), ("References", root))


def check_thread(thread: str | None, free: HeaderFields) -> str:
    """Return the key of a thread if it can be one.

    Raises:
        InvalidHeader: it is not one line, or one of its fields is there by hand.
    """
    if thread is None or not check_text(thread, "thread"):
        return ""
    refuse_by_hand("thread", thread_headers(""), free)
    return thread


def check_start(starts_thread: bool | None, thread: str | None) -> bool:
    """Return whether a message starts a thread.

    Raises:
        InvalidHeader: there is none.
    """
    if starts_thread and not thread:
        raise InvalidHeader(
            "there is no thread to start", "Write thread='INC-42' too.", field="starts_thread"
        )
    return bool(starts_thread)


def move_root(message_id: str, old_domain: str, new_domain: str) -> str:
    """Bring a thread's root into another sender's domain; another Message-ID stays as it is.

    Args:
        message_id: of a message or in one of its fields; the thread's key may be unknown by now.
        old_domain: in which `thread_root` made it.
        new_domain: that of the new sender.
    """
    old = f"@{old_domain}>"
    if not (_ROOT.fullmatch(message_id) and message_id.endswith(old)):
        return message_id
    return f"{message_id.removesuffix(old)}@{new_domain}>"


def refuse_by_hand(argument: str, written: HeaderFields, free: HeaderFields) -> None:
    """Refuse a field that an argument writes and the caller sets too.

    Raises:
        InvalidHeader: naming both.
    """
    ours = {name.lower() for name, _ in written}
    for name, _ in free:
        if name.lower() in ours:
            raise InvalidHeader(
                f"writes {name}, which is in headers too", "Remove one of them.", field=argument
            )
