"""What to change, for what a server answers or fails to answer: an error's second half."""

from __future__ import annotations

from prefect_smtp_relay.transports.smtp.reply import Reply

_PLACE = "check `address` and `port`."
_MAIL_PORT = "set `port` to the relay's port for submission: 587 or 465."
_SUBMISSION_TLS = "use the port for direct TLS (465) with `ssl` on."
_TLS = "The server did not go on with the TLS handshake: check `port`, `ssl` and `enable_starttls`."
_FIREWALL = "Check `address` and `port`, and whether a firewall lets this host through."
_MAYBE_DIRECT_TLS = (
    f"If it expects TLS from the first byte (port 465), switch `ssl` on; else {_PLACE}"
)

_SILENT = {
    "connect": _FIREWALL,
    "TLS": _TLS,
    "greeting": f"The server said nothing. {_MAYBE_DIRECT_TLS}",
    "STARTTLS": f"If it goes on, {_SUBMISSION_TLS}",
    "AUTH": "Some relays are slow to refuse a login: check `username` and `password`, or raise"
    " `timeout_seconds`.",
    "body": "If it goes on, raise `timeout_seconds`, or attach less.",
}
_SLOW = "If it goes on, ask the relay's administrator, or raise `timeout_seconds`."
_LOST = {
    "connect": _FIREWALL,
    "TLS": _TLS,
    "greeting": _MAYBE_DIRECT_TLS,
    "EHLO": "Set `domain`, the name this host greets with, to one that the relay knows, or ask its"
    " administrator whether this host may connect.",
    "STARTTLS": f"If it goes on, {_SUBMISSION_TLS}",
    "AUTH": "Some relays hang up on a wrong login: check `username`, `password` and"
    " `authentication` in the block.",
    "MAIL": "If it goes on, ask the relay's administrator whether it takes this sender"
    " (`from_address`).",
    "body": "If it goes on, the message may be larger than the relay takes: attach less, or link to"
    " the files.",
}
_HANGS_UP = "If it goes on, ask the relay's administrator why it hangs up."
_BROKEN = {
    "greeting": f"This is not an SMTP server: {_PLACE}",
    "STARTTLS": "Somebody may be tampering with the connection: ask the administrator.",
}
_BREAKS_THE_PROTOCOL = "The server breaks the protocol: ask its administrator."
_OTHER_SERVERS = {
    "SSH-": f"This is an SSH server: {_MAIL_PORT}",
    "* ": f"This is an IMAP server, where mail is read: {_MAIL_PORT}",
    "+OK": f"This is a POP3 server, where mail is read: {_MAIL_PORT}",
    "-ERR": f"This is a POP3 server, where mail is read: {_MAIL_PORT}",
    "HTTP/": f"This is a web server, not an SMTP server: {_MAIL_PORT}",
    r"\x15\x03": "The server expects TLS from the first byte: switch `ssl` on.",
    r"\x16\x03": "The server expects TLS from the first byte: switch `ssl` on.",
}
"""By what the greeting begins with."""

_IN_CLEAR = f"The server answered the TLS handshake in plain text: {_SUBMISSION_TLS}"
_OLD_TLS = (
    "The server speaks only TLS older than 1.2, which is not safe: have it updated, or use another"
    " relay."
)
_BY_TLS_REASON = {
    **dict.fromkeys(
        ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"), _IN_CLEAR
    ),
    **dict.fromkeys(("TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL"), _OLD_TLS),
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "The server has no cipher in common with this host, or wants a"
    " client certificate: ask its administrator.",
}
"""By OpenSSL's name of the error."""

NO_STARTTLS = (
    "the server does not offer STARTTLS. If it takes TLS from the first byte (465), set that `port`"
    " with `ssl` on; only a server in your own network should be used without TLS, with `ssl` and"
    " `enable_starttls` off."
)
NO_SMTP = f"This is not an SMTP server, though it greets like one (FTP does): {_MAIL_PORT}"
"""For a server that knows neither EHLO nor HELO."""

_BY_ENHANCED_CODE = {
    "5.7.9": "The account wants an app password: create one with the provider and set it as"
    " `password`.",
    "5.7.139": "Microsoft lets this account not log in by SMTP with a password: an administrator of"
    " Microsoft 365 has to permit it (security defaults, authentication policies), or set"
    " `authentication` to xoauth2, with the `oauth_` fields.",
    "5.3.4": "The message is larger than the relay takes: attach less, or link to the files.",
}
_SMTP_AUTH_IS_OFF = "smtpclientauthentication is disabled"
_BY_WORDS = {
    "basic authentication is disabled": "The provider has retired passwords for SMTP on this"
    " account (basic authentication): set `authentication` to xoauth2, and the `oauth_` fields to"
    " an application that the provider knows, or use another relay.",
    _SMTP_AUTH_IS_OFF: "Authenticated SMTP is switched off: an administrator of Microsoft 365"
    " switches it on for the mailbox (Mail, Manage email apps), or for the organisation in"
    " Exchange.",
    "user credentials were incorrect": "Check `username` and `password` in the block.",
    "support.google.com/mail/?p=badcredentials": "Gmail takes only app passwords here: create one"
    " (myaccount.google.com/apppasswords) and set it as `password`; where the administrator forbids"
    " them, set `authentication` to xoauth2, with the `oauth_` fields.",
}
_BY_STAGE = {
    "greeting": "The relay does not serve this host: check `address` and `port`, or ask its"
    " administrator whether this host may connect.",
    "EHLO": "The relay does not accept the name this host greets with: set `domain` in the block.",
    "STARTTLS": "The relay offers STARTTLS but cannot do it: ask its administrator, or use the port"
    " for direct TLS (465) with `ssl` on.",
    "AUTH": "Check `username`, `password` and `authentication` in the block.",
    "MAIL": "The relay does not take this sender: set `from_address` to one that it permits.",
    "RCPT": "Check the recipient's address; if the text speaks of relaying, the relay wants"
    " `username` and `password`.",
    "DATA": "Check with the relay's administrator what it refuses.",
    "body": "The relay broke off in the middle of the message: its text says why.",
    "final reply": "The relay refused the content: its text says why.",
}
_LATER = "The relay asks to try again later."
_BY_CODE_ALONE = {552: _BY_ENHANCED_CODE["5.3.4"]}
"""Where no enhanced code says more."""
_NO_EHLO = frozenset({500, 502, 530})
"""What servers of other protocols answer to EHLO and HELO."""


def advise(stage: str, reply: Reply) -> str:
    """Say what to change after a negative reply.

    Args:
        stage: the step of the session.
        reply: what the server answered.
    """
    if reply.is_transient:
        return _LATER
    if not reply.is_negative and stage != "AUTH":
        return advise_broken(stage)
    if stage == "EHLO" and reply.code in _NO_EHLO:
        return NO_SMTP
    if reply.code in (530, 538):
        return _advise_530(reply)
    return (
        _advise_login(stage, reply)
        or _BY_ENHANCED_CODE.get(reply.enhanced_code)
        or _BY_CODE_ALONE.get(0 if reply.enhanced_code else reply.code)
        or _BY_STAGE.get(stage, _BY_STAGE["DATA"])
    )


def advise_token(reply: Reply, *, is_fetched: bool) -> str:
    """Say what to change after an access token was refused.

    Args:
        reply: what the server answered.
        is_fetched: it came from ``oauth_token_url``, and was new.
    """
    if _SMTP_AUTH_IS_OFF in reply.text.lower():
        return _BY_WORDS[_SMTP_AUTH_IS_OFF]
    if is_fetched:
        return (
            "The relay does not take a new access token: check that it is for the account in"
            " `username`, that `oauth_scope` is for SMTP, and that the application has been"
            " permitted to use the mailbox."
        )
    return (
        "The access token in `password` has expired, or is not for `username` and SMTP: set a new"
        " one, or let `oauth_token_url` get one."
    )


def _advise_login(stage: str, reply: Reply) -> str:
    """Providers give one code for several reasons, which only their words tell apart."""
    words = reply.text.lower()
    found = (advice for fragment, advice in _BY_WORDS.items() if fragment in words)
    return next(found, "") if stage == "AUTH" else ""


def _advise_530(reply: Reply) -> str:
    if reply.code == 538 or "TLS" in reply.text.upper():
        return "The relay wants encryption first: switch `ssl` or `enable_starttls` on."
    return "The relay wants authentication: set `username` and `password` in the block."


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


def advise_tls(reason: str) -> str:
    """Say what to change after TLS failed for another reason than the certificate."""
    return _BY_TLS_REASON.get(reason, _TLS)
