"""What to change, for what a server answers: the second half of every error's text."""

from __future__ import annotations

from prefect_smtp_relay.transports.smtp.faults import NO_SMTP, advise_broken
from prefect_smtp_relay.transports.smtp.reply import Reply

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
