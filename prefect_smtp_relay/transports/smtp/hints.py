"""What to change where a server gives no proper answer: silence, a lost connection, no grammar."""

from __future__ import annotations

from prefect_smtp_relay.transports.smtp.form import (
    ADDRESS,
    AUTHENTICATION,
    DOMAIN,
    ENABLE_STARTTLS,
    FROM_ADDRESS,
    PASSWORD,
    PORT,
    SSL,
    TIMEOUT_SECONDS,
    USERNAME,
)

_ENDPOINT = f"check {ADDRESS} and {PORT}."
_MAIL_PORT = f"set {PORT} to the relay's port for submission: 587 or 465."
_SUBMISSION_TLS = f"use the port for direct TLS (465) with {SSL} on."
_TLS = (
    f"The server did not go on with the TLS handshake: check {PORT}, {SSL} and {ENABLE_STARTTLS}."
)
_FIREWALL = f"Check {ADDRESS} and {PORT}, and whether a firewall lets this host through."
_MAYBE_DIRECT_TLS = (
    f"If it expects TLS from the first byte (port 465), switch {SSL} on; else {_ENDPOINT}"
)

_SILENT = {
    "connect": _FIREWALL,
    "TLS": _TLS,
    "greeting": f"The server said nothing. {_MAYBE_DIRECT_TLS}",
    "STARTTLS": f"If it goes on, {_SUBMISSION_TLS}",
    "AUTH": f"Some relays are slow to refuse a login: check {USERNAME} and {PASSWORD}, or raise"
    f" {TIMEOUT_SECONDS}.",
    "body": f"If it goes on, raise {TIMEOUT_SECONDS}, or attach less.",
}
_SLOW = f"If it goes on, ask the relay's administrator, or raise {TIMEOUT_SECONDS}."
_LOST = {
    "connect": _FIREWALL,
    "TLS": _TLS,
    "greeting": _MAYBE_DIRECT_TLS,
    "EHLO": f"Set {DOMAIN}, the name this host greets with, to one that the relay knows, or ask its"
    " administrator whether this host may connect.",
    "STARTTLS": f"If it goes on, {_SUBMISSION_TLS}",
    "AUTH": f"Some relays hang up on a wrong login: check {USERNAME}, {PASSWORD} and"
    f" {AUTHENTICATION} in the block.",
    "MAIL": "If it goes on, ask the relay's administrator whether it takes this sender"
    f" ({FROM_ADDRESS}).",
    "body": "If it goes on, the message may be larger than the relay takes: attach less, or link to"
    " the files.",
}
_HANGS_UP = "If it goes on, ask the relay's administrator why it hangs up."
_BROKEN = {
    "greeting": f"This is not an SMTP server: {_ENDPOINT}",
    "STARTTLS": "Somebody may be tampering with the connection: ask the administrator.",
}
_BREAKS_THE_PROTOCOL = "The server breaks the protocol: ask its administrator."
_EXPECTS_TLS = f"The server expects TLS from the first byte: switch {SSL} on."
_OTHER_SERVERS = {
    "SSH-": f"This is an SSH server: {_MAIL_PORT}",
    "* ": f"This is an IMAP server, where mail is read: {_MAIL_PORT}",
    "+OK": f"This is a POP3 server, where mail is read: {_MAIL_PORT}",
    "-ERR": f"This is a POP3 server, where mail is read: {_MAIL_PORT}",
    "HTTP/": f"This is a web server, not an SMTP server: {_MAIL_PORT}",
    r"\x15\x03": _EXPECTS_TLS,
    r"\x16\x03": _EXPECTS_TLS,
}
"""By what the greeting begins with."""

NO_STARTTLS = (
    f"the server does not offer STARTTLS. If it takes TLS from the first byte (465), set that"
    f" {PORT} with {SSL} on; only a server in your own network should be used without TLS, with"
    f" {SSL} and {ENABLE_STARTTLS} off."
)
NOT_SMTP = f"This is not an SMTP server, though it greets like one (FTP does): {_MAIL_PORT}"
"""For a server that knows neither EHLO nor HELO."""


def advise_silence(stage: str) -> str:
    """Say what to change after a server did not answer in time."""
    return _SILENT.get(stage, _SLOW)


def advise_loss(stage: str) -> str:
    """Say what to change after a connection was closed or could not be made."""
    return _LOST.get(stage, _HANGS_UP)


def advise_broken(stage: str, words: str = "") -> str:
    """Say what to change after an answer that has no place in SMTP.

    Args:
        stage: the step of the session.
        words: how the answer begins.
    """
    if stage == "greeting":
        for beginning, advice in _OTHER_SERVERS.items():
            if words.startswith(beginning):
                return advice
    return _BROKEN.get(stage, _BREAKS_THE_PROTOCOL)
