"""How readers unsubscribe: List-Unsubscribe (RFC 2369), with one click (RFC 8058)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

from prefect_smtp_relay.exceptions import InvalidHeader, InvalidMailbox
from prefect_smtp_relay.mail.domain import to_a_labels
from prefect_smtp_relay.mail.headers.advisory import refuse_by_hand
from prefect_smtp_relay.mail.headers.fields import HeaderFields, check_text
from prefect_smtp_relay.mail.mailbox import Mailbox

UnsubscribeInput = str | Iterable[str] | None
"""An https URL, an address with or without ``mailto:``, or a list of one of each."""

_ONE_CLICK = ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
MAX_URL_LENGTH = 800
"""The field's line has to stay below the 998 of RFC 5322, section 2.1.1."""
_URL = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
"""The characters of RFC 3986, section 2."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


def unsubscribe_headers(value: UnsubscribeInput, free: HeaderFields) -> HeaderFields:
    """Write where readers unsubscribe.

    Args:
        value: an https URL, to which mail programs post on one click; an address, with or without
            ``mailto:``; or a list of one of each. Empty for none.
        free: the caller's own fields.

    Raises:
        InvalidHeader: one of them cannot be used, or a field is there by hand. No text shows a
            URL: it may contain a reader's token.
    """
    urls = [_check(entry) for entry in _entries(value)]
    if not urls:
        return ()
    by_scheme = {url.partition(":")[0]: url for url in urls}
    if len(by_scheme) < len(urls):
        raise _error("has two of one kind", "Pass at most one https URL and one address.")
    refuse_by_hand("list_unsubscribe", (("List-Unsubscribe", ""), _ONE_CLICK), free)
    # Programs take the first that they can use (RFC 2369, section 2).
    listed = ", ".join(f"<{by_scheme[name]}>" for name in ("https", "mailto") if name in by_scheme)
    one_click = (_ONE_CLICK,) if "https" in by_scheme else ()
    return (("List-Unsubscribe", listed), *one_click)


def _entries(value: UnsubscribeInput) -> Iterator[str]:
    entries = (value or "",) if value is None or isinstance(value, str) else value
    if isinstance(entries, (bytes, Iterator)) or not isinstance(entries, Iterable):
        raise _error("expected an https URL, an address, or a list of both", "Pass one of them.")
    for entry in entries:
        if text := check_text(entry, "list_unsubscribe").strip():
            yield text


def _check(entry: str) -> str:
    scheme, colon, rest = entry.partition(":")
    if colon and scheme.lower() == "http":
        raise _error("is an http URL", "One click needs https (RFC 8058, section 3.1).")
    if not _URL.fullmatch(entry) or len(entry) > MAX_URL_LENGTH:
        raise _error(
            f"a URL has at most {MAX_URL_LENGTH} characters, of those that RFC 3986 allows",
            "Percent-encode the others, and pass a list where there are two.",
        )
    if colon and scheme.lower() == "https":
        _check_https(rest)
        return f"https:{_escape(rest)}"
    address = rest if colon and scheme.lower() == "mailto" else entry
    _check_mailto(address)
    return f"mailto:{_escape(address)}"


def _check_https(rest: str) -> None:
    try:
        parts = urlsplit(f"https:{rest}")
        to_a_labels(parts.hostname or "")
        is_whole = parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise _error("is not a whole https URL", "Write https://HOST/PATH.")
    if parts.username is not None:
        raise _error("contains credentials, which every reader would see", "Remove them.")


def _check_mailto(address: str) -> None:
    """RFC 6068; a line end in it would write another header into the reader's answer."""
    if "://" in address or _CONTROLS.search(unquote(address)):
        raise _error("is neither an https URL nor an address in one line", "Write one of them.")
    try:
        Mailbox.parse(unquote(address.partition("?")[0]))
    except InvalidMailbox as error:
        raise _error(error.problem, error.fix) from None


def _escape(rest: str) -> str:
    """A comma would end the URL (RFC 2369, section 2), and ``=?`` begin an encoded word."""
    return rest.replace(",", "%2C").replace("=?", "=%3F")


def _error(problem: str, fix: str) -> InvalidHeader:
    return InvalidHeader(problem, fix, field="list_unsubscribe")
