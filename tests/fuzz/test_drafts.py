"""Whatever a caller writes, it becomes a mail that can be rendered, or an error of ours."""

from __future__ import annotations

import pickle
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.mime.parse import read_message
from prefect_smtp_relay.mail.mime.render import render_mime
from prefect_smtp_relay.settings import SmtpRelaySettings
from tests.fuzz.many import many

_SETTINGS = SmtpRelaySettings(protected_domains=["corp.example"])
_OPS = Mailbox("ops", "example.com")

_OF_NAMES = [
    *("=?", "?=", "?q?", "?b?", "?Q?", "?B?", "utf-8", "x-unknown", "idna", "punycode", "=C3"),
    *("unicode_escape", "iso-8859-1", "=A9", "4pyF", "ann@example.org", "ceo@corp.example"),
    *("corp.example", "xn--bcher-kva.example", "@", "<", ">", '"', "\\", ",", ";", ":", "(", ")"),
    *("[", "]", ".", "e'", "\u00e9", "\uff20"),
]
_UNSEEN = [
    "\u202e",
    "\u2066",
    "\u00ad",
    "\u200b",
    "\U000e0041",
    "\0",
    "\x1b",
    "\x85",
    "\r\n",
    "\ud800",
]
NAMES = st.lists(
    st.sampled_from([*_OF_NAMES, *_UNSEEN, " ", "\t"]) | st.text(max_size=4), max_size=12
).map("".join)
MAILBOXES = st.one_of(
    st.just("ann@example.org"),
    NAMES,
    st.builds('"{}" <ann@example.org>'.format, NAMES),
    st.builds("{} <ann@example.org>".format, NAMES),
    st.builds("ann@{}".format, NAMES),
)
_OF_BODIES = [
    *("*a **a ", "**", "_", "~~", "`", "```\n", "[x](", ")", "![", "][", "](cid:x)", "[a]: b\n"),
    *("<b>", "</b>", "<!--", "<script>", "&", "&#0;", "&#x202e;", "\\", "| a |\n|---|\n", "|"),
    *("> ", "- ", "1. ", "    ", "# ", "---\n", "\n", "\n\n", "http://x.org/", "javascript:x"),
    *_UNSEEN,
]
BODIES = st.lists(st.sampled_from(_OF_BODIES) | st.text(max_size=4), max_size=30).map("".join)
REPEATED = st.builds(
    lambda piece, times: piece * times, st.sampled_from(_OF_BODIES), st.integers(1, 900)
)
MAILS = st.fixed_dictionaries(
    {"to": MAILBOXES, "subject": NAMES, "body": BODIES},
    optional={
        "from_": MAILBOXES,
        "reply_to": MAILBOXES,
        "headers": st.dictionaries(NAMES | st.sampled_from(["Sender", "X-A", "Author"]), NAMES),
        "thread": NAMES,
        "categories": NAMES,
        "preheader": NAMES,
        "text": BODIES,
        "html": BODIES,
        "attachments": st.dictionaries(NAMES, st.binary(max_size=9), max_size=2),
    },
)


def check_error(error: EmailError) -> None:
    """It can be logged, and comes back from another process."""
    str(error).encode()
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  # our own


@many
@given(MAILS)
def test_any_arguments(arguments: Any) -> None:
    """The mail is read back, and its From does not show a protected address."""
    try:
        composed = draft(arguments | {"include_footer": False}, _SETTINGS)
    except EmailError as error:
        check_error(error)
        return
    message = composed.from_mailbox(composed.requested_from or _OPS)
    read_message(bytes(render_mime(message)))
    assert "@corp.example" not in str(message.from_)


@many
@given(BODIES | REPEATED)
def test_any_body(body: str) -> None:
    """A body, however deep and unbalanced, becomes HTML and text."""
    mail: Any = {"to": "ann@example.org", "subject": "s", "body": body, "include_footer": False}
    try:
        composed = draft(mail, _SETTINGS)
    except EmailError as error:
        check_error(error)
        return
    assert composed.html.count("<body") == 1
