"""Texts of every kind, and the arguments of `compose` that they can be."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

_ENDS_A_LINE = ["\r", "\n", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x00", "\ud800"]
_STARTS_SOMETHING = [
    *("\r\nBcc: eve@example.net", "\nBcc: eve@example.net\n", "\r\n\r\n<script>", "\r\n.\r\nMAIL"),
    *("\r\nRCPT TO:<eve@example.net>", "\n.\n", "\n.x", ".", "\nFrom x", "From ", "\n--=_", "--"),
]
_LOOKS_ENCODED = [
    *("=?utf-8?q?=0D=0AX:_y?=", "=?utf-8?b?eA==?=", " =?utf-8?q?x?= ", "=?", "?=", "=?x?q?y?="),
    *("=0D=0A", "=\n", "%0D%0A", "utf-8''", "*0*=", "&#10;", "_", "="),
]
_HAS_A_MEANING = [*"\"\\,<>;:()@'[]*%./", " ", "  ", "\t", " \t ", '\\"', "<>", ", "]
_IS_SEEN_OTHERWISE = [
    *("\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u00a0", "\u3000", "e\u0301"),
    *("\u0301", "\u00fc", "\u65e5\u672c", "\U0001f600", "\uff0e", "\uff20", "\u212a", "\u0130"),
]
_PIECES = st.one_of(
    *map(
        st.sampled_from,
        (
            _ENDS_A_LINE,
            _STARTS_SOMETHING,
            _LOOKS_ENCODED,
            _HAS_A_MEANING,
            _IS_SEEN_OTHERWISE,
        ),
    ),
    st.text(st.characters(), max_size=12),  # surrogates too
    st.text("abcXYZ019 ", max_size=12),
    st.builds(
        str.__mul__,
        st.sampled_from(["x", "\u00fc", "a ", "=", ".", "e\u0301", '"']),
        st.sampled_from([60, 80, 1000]),
    ),
)
ANY_TEXT = st.lists(_PIECES, max_size=6).map("".join)

_REFUSED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
LINE = ANY_TEXT.map(lambda text: _REFUSED.sub("", text))
"""Any text that can be a header, a display name or a file name."""
BODIES = ANY_TEXT.map(lambda text: re.sub("[\ud800-\udfff]", "", text))

_LOCAL_PARTS = st.one_of(
    st.sampled_from(["ann", "a.b+c", '"a, b"', '"q\\"x\\\\"', '"<eve>"', '" "', "x" * 64, "'"]),
    st.sampled_from(["j\u00f6rg", "\u7528\u6237", "=?utf-8?q?x?=", "=0D=0A", '"a@b"', "..", '"']),
    st.text("abcxyz019!#$%&'*+/=?^_`{|}~-.", min_size=1, max_size=20),
    ANY_TEXT,
)
_DOMAINS = st.one_of(
    st.sampled_from(["example.org", "Example.ORG.", "B\u00fccher.example", "\u65e5\u672c.example"]),
    st.sampled_from(["fa\u00df.example", "\u2603.example", "\uff45x.example", "a\u3002example"]),
    st.sampled_from(["[192.0.2.1]", "[IPv6:::1]", "xn--bcher-kva.example", "x" * 63 + ".example"]),
    ANY_TEXT,
)


def quoted(name: str) -> str:
    """Write a text as the quoted-string of RFC 5322, section 3.2.4."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


ADDRESSES = st.one_of(
    st.builds("{}@{}".format, _LOCAL_PARTS, _DOMAINS),
    st.builds("{} <{}@{}>".format, LINE, _LOCAL_PARTS, _DOMAINS),
    st.builds("{} <{}@{}>".format, LINE.map(quoted), _LOCAL_PARTS, _DOMAINS),
    ANY_TEXT,
)
_GOOD_ADDRESSES = st.builds(
    "{} <{}@{}>".format,
    LINE.map(quoted),
    st.sampled_from(["ann", "a.b+c", '"a, b"', "bob", "x" * 64, "j\u00f6rg", "'=?", '"."']),
    st.sampled_from(["example.org", "B\u00fccher.example", "[IPv6:::1]", "x" * 63 + ".example"]),
)
_GOOD_MAILBOXES = st.lists(_GOOD_ADDRESSES, max_size=3)
_HEADER_NAMES = st.one_of(
    st.sampled_from(["X-Team", "Precedence", "bcc", "Subject", "content-type", "Resent-To"]),
    ANY_TEXT,
)
_GOOD_HEADER_NAMES = st.one_of(
    st.sampled_from(["X-Team", "List-Unsubscribe", "Comments", ".", "X-" + "y" * 74, "--=_"]),
    st.from_regex(r"[xX][!-9;-~]{0,75}", fullmatch=True),
)
_IMAGE_NAMES = st.builds("{}x{}".format, LINE, st.sampled_from([".png", ".gif", ".JPG"]))
_FILE_NAMES = _IMAGE_NAMES | st.builds("x{}".format, LINE)
_MEDIA_TYPES = st.sampled_from(["", "text/html", "Application/x.y+z", "message/rfc822", "image/x"])
_OCTETS = st.binary(max_size=200) | st.sampled_from([b"\r\n.\r\n", b"\x00" * 100, b"From \n", b""])

GOOD_MAILS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "to": st.lists(_GOOD_ADDRESSES, min_size=1, max_size=3),
        "subject": LINE,
        "text": BODIES,
        "html": BODIES,
    },
    optional={
        "cc": _GOOD_MAILBOXES,
        "bcc": _GOOD_MAILBOXES,
        "reply_to": _GOOD_MAILBOXES,
        "from_": _GOOD_ADDRESSES,
        "headers": st.one_of(
            st.fixed_dictionaries({"Sender": _GOOD_ADDRESSES}),
            st.lists(
                st.tuples(_GOOD_HEADER_NAMES, LINE), max_size=3, unique_by=lambda f: f[0].lower()
            ).map(dict),
        ),
        "attachments": st.lists(st.tuples(_FILE_NAMES, _OCTETS, _MEDIA_TYPES), max_size=2),
        "inline_images": st.dictionaries(
            st.text("abc019!#$%&'*+/=^_`{|}~.@-", min_size=1, max_size=9),
            st.tuples(_IMAGE_NAMES, _OCTETS),
            max_size=2,
        ),
        "thread": LINE,
        "importance": st.sampled_from(["high", "normal", "low"]),
    },
)
"""Keyword arguments of `compose` that it has no reason to refuse."""

_HOSTILE: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("to", "cc", "bcc", "reply_to", "from_"), ADDRESSES),
    **dict.fromkeys(("subject", "text", "html", "thread"), ANY_TEXT),
    "headers": st.dictionaries(_HEADER_NAMES, ANY_TEXT, max_size=2),
    "attachments": st.lists(
        st.tuples(ANY_TEXT, _OCTETS, st.just("")) | st.tuples(_FILE_NAMES, _OCTETS, ANY_TEXT),
        max_size=2,
    ),
    "inline_images": st.dictionaries(ANY_TEXT, st.tuples(_IMAGE_NAMES, _OCTETS), max_size=2),
}
MAILS: st.SearchStrategy[dict[str, Any]] = (
    st.sampled_from(sorted(_HOSTILE))
    .flatmap(lambda name: st.tuples(GOOD_MAILS, st.fixed_dictionaries({name: _HOSTILE[name]})))
    .map(lambda mails: {**mails[0], **mails[1]})
)
"""Keyword arguments of `compose` of which one can be anything."""
