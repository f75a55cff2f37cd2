"""Which targets a link may have."""

from __future__ import annotations

import re

_SCHEMES = frozenset({"http", "https", "mailto", "tel", "cid"})
_PATH_START = re.compile(r"[/?#]")


def is_safe_link(url: str) -> bool:
    """Whether a link names no scheme or a known one (RFC 3986, section 4.2).

    An allow list, because the readers' programs differ in what they execute: ``javascript:``,
    ``data:``, ``vbscript:`` and ``file:`` are not all of it. What is not a link is shown as typed.
    """
    scheme, colon, _ = _PATH_START.split(url.strip(), maxsplit=1)[0].partition(":")
    return not colon or scheme.lower() in _SCHEMES
