"""What a negative reply means, read by its codes and words, and what to change.

One table for every step: servers put off until RCPT, DATA or the final reply what they know at
MAIL or EHLO, and say 550 5.7.1 for a dozen reasons that only their words tell apart.
"""

from __future__ import annotations

import re

from prefect_smtp_relay.mail.receipt import Refusal
from prefect_smtp_relay.transports.smtp.form import (
    ADDRESS,
    AUTHENTICATION,
    CREDENTIALS,
    DOMAIN,
    ENABLE_STARTTLS,
    FROM_ADDRESS,
    OAUTH_SCOPE,
    OAUTH_TOKEN_URL,
    PASSWORD,
    PORT,
    SSL,
    USERNAME,
)
from prefect_smtp_relay.transports.smtp.hints import NOT_SMTP, advise_broken
from prefect_smtp_relay.transports.smtp.reply import Reply

_LATER = "The relay asks to try again later."
_LOGIN = f"set {CREDENTIALS} in the block."
_OAUTH = (
    f"set {AUTHENTICATION} to xoauth2 and {OAUTH_TOKEN_URL} with the other `oauth_` fields, as the"
    " how-to page on OAuth shows"
)
_ENCRYPT = f"The relay wants encryption first: switch {SSL} or {ENABLE_STARTTLS} on."
_AUTHENTICATE = f"The relay wants authentication: {_LOGIN}"
_SMTP_AUTH_IS_OFF = (
    "Authenticated SMTP is switched off: an administrator of Microsoft 365 switches it on for the"
    " mailbox (Mail, Manage email apps), or for the organisation in Exchange."
)
_MAY_BE_RETIRED = f"Where the account may not log in with a password any more, {_OAUTH}."
_SENDER = f"The relay does not take this sender: set {FROM_ADDRESS} to one that it permits."
_GREETING_NAME = (
    "The relay does not accept the name this host greets with: set"
    f" {DOMAIN} to a name that DNS knows."
)
_MAILBOX_FULL = "The recipient's mailbox is full: only its owner can change that."
_RECIPIENT = "The relay knows no such recipient: check the recipient's address."
_CONTENT = "The relay refused the content: its text says why."

_Table = tuple[tuple[str, str], ...]

_OF_THE_LOGIN: _Table = (
    (r"smtpclientauthentication is disabled", f"{_SMTP_AUTH_IS_OFF} {_MAY_BE_RETIRED}"),
    (
        r" 5\.7\.30\b|basic auth(entication)? is (disabled|not supported)",
        "The provider takes no passwords for SMTP on this account any more (basic authentication):"
        f" {_OAUTH}, or use another relay.",
    ),
    (r"user credentials were incorrect", f"Check {CREDENTIALS} in the block. {_MAY_BE_RETIRED}"),
    (
        r"support\.google\.com/mail/\?p=badcredentials",
        "Gmail takes only app passwords here: create one (myaccount.google.com/apppasswords) and"
        f" set it as {PASSWORD}; where the administrator forbids them, {_OAUTH}.",
    ),
    (
        r" 5\.7\.9\b|application-specific password|app password",
        "The account wants an app password: create one with the provider and set it as"
        f" {PASSWORD}.",
    ),
    (
        r" 5\.7\.139\b",
        "Microsoft does not let this account log in by SMTP with a password (security defaults,"
        f" authentication policies): {_OAUTH}, or have an administrator of Microsoft 365 permit"
        " it.",
    ),
)
"""Patterns for the code and words of a reply to AUTH, the first that fits; then the advice."""

_OF_THE_ENVELOPE: _Table = (
    # Of the account and the connection.
    *_OF_THE_LOGIN[:2],
    (r"must issue a starttls|starttls (first|is required)|encryption (is )?required", _ENCRYPT),
    (
        r"not logged in|not authenticated|\bauth\w* (is )?required|5\.7\.57\b"
        r"|(must|need to|please) (log ?in|authenticate)|authenticate first",
        _AUTHENTICATE,
    ),
    # Of the content: its links are on blocklists, too.
    (r"\b(surbl|uribl)\b|\b(url|link)s?\b.{0,40}\b((black|block)list|listed)", _CONTENT),
    (
        r"\bdmarc\b|\bspf\b|\bdkim\b|[45]\.7\.(2[0-46]|509|515)\b",
        "The sender's domain does not vouch for this relay (SPF, DKIM, DMARC): have its DNS permit"
        f" the relay, or set {FROM_ADDRESS} to an address of a domain that does.",
    ),
    # Of this host.
    (r"^(?!503).*\b(helo|ehlo)\b", _GREETING_NAME),
    (
        r"\bptr\b|reverse.?(dns|host|lookup)|find your (reverse )?hostname|[45]\.7\.25\b",
        "The relay wants a DNS entry for this host's IP address (PTR): have one made, or use a"
        f" relay that takes a login ({USERNAME}) on port 587.",
    ),
    (
        r"blocked using|(block|black|deny)[ -]?list|\b(dns|r)bls?\b|spamhaus|spamcop|barracuda"
        r"|\b(ip|host|client)\b.{0,60}\b(listed|blocked|banned)\b|banned sending ip"
        r"|(poor|bad|low) reputation|from this ip\b|5\.7\.(606|70[78])\b",
        "This host's IP address is on a blocklist: have it removed there, as the text says, or use"
        f" a relay that takes a login ({USERNAME}) on port 587.",
    ),
    (
        r"client host rejected|the ip you're using|to send (e?mail )?directly",
        "The relay does not serve this host: ask its administrator, or use a relay that takes a"
        f" login ({USERNAME}) on port 587.",
    ),
    (
        r"gr[ae]y-?list",
        "The relay puts off senders that it does not know yet (greylisting): a later try usually"
        " passes.",
    ),
    # Of the sender.
    (
        r"sender verif|verify (the )?sender|sender[^.;]*\b(domain|host)( name)? (is )?not found"
        r"|sender[^.;]*\b(undeliverable|unverified|does not exist|user unknown)"
        r"|domain of sender|sender('s)? domain[^.;]*\b(exist|resolve|mx|dns)|[45]\.1\.8\b",
        f"The relay checks whether the sender exists: set {FROM_ADDRESS} to a mailbox that receives"
        " mail, in a domain that DNS knows.",
    ),
    (
        r"[45]\.2\.252\b|send ?as ?denied|[45]\.7\.60\b|[45]\.1\.7\b|relaying disallowed as"
        r"|send (mail )?(as|on behalf)\b|send (e?mail )?from (this|the|that) (address|sender)"
        r"|not owned by|sender (identity|mismatch)"
        r"|(sender|mail from(?! \W?\d)|from.?(address|header|domain)|return.path|envelope)\b[^.;]*"
        r"\b(not|rejected|refused|denied|invalid|must|mismatch|disallowed|unauthori[sz]ed)\b"
        r"|(bad|invalid|unverified|unauthori[sz]ed|unknown) (envelope )?(sender|mail from)"
        r"|address is not verified",
        _SENDER,
    ),
    # Of permissions and quotas.
    (r"[45]\.2\.2\b|mailbox (is )?full|over ?quota|mailbox.{0,20}quota", _MAILBOX_FULL),
    (
        r"5\.3\.4\b|^552(?! \d\.)|message (is )?too (large|big)|(maximum|exceeds) .{0,20}\bsize",
        "The message is larger than the relay takes: attach less, or link to the files.",
    ),
    (
        r"(sending|daily|hourly|user|messages?|mails?|rate|account)[\w -]{0,20}\b(limit|quota)"
        r"|too (many|much) (messages|e?mails?|connections)|(limit|quota) (is )?exceeded|throttl"
        r"|exceed(s|ed|ing)? [\w -]{0,30}\b(limit|quota)"
        r"|rate.?limit|5\.4\.5\b|4\.7\.28\b|5\.7\.705\b",
        "The account or this host has sent as much as the relay permits: send less at once, or ask"
        " its administrator for a higher limit.",
    ),
    (
        r"relay(ing)?( access)? (is )?(denied|not (permitted|allowed)|prohibited|refused)"
        r"|(unable|not (allowed|permitted|authori[sz]ed)|refus\w+|cannot|can't) to relay"
        r"|(do|does) not (permit |allow )?relay|not an? open relay|rcpthosts|5\.7\.54\b",
        "The relay does not take mail for this recipient from everybody: if it takes a login,"
        f" {_LOGIN[:-1]}; else its administrator has to permit this host.",
    ),
    # Of the recipient: last, as all the others are told in answer to RCPT, too.
    (
        r"[45]\.1\.(1|2|3|6|10)\b|5\.2\.1\b|\b(user|recipient|mailbox) unknown"
        r"|unknown (user|recipient)"
        r"|no such (user|recipient|mailbox|person|address)|invalid recipient"
        r"|(user|recipient|mailbox|account|address)\b[^.;]*\b(not found|not exist|unavailable"
        r"|disabled|inactive|rejected)",
        _RECIPIENT,
    ),
)
"""The same for the replies to all other commands, and for the greeting."""

_BY_STAGE = {
    "greeting": f"The relay does not serve this host: check {ADDRESS} and {PORT}, or ask its"
    " administrator whether this host may connect.",
    "EHLO": _GREETING_NAME,
    "STARTTLS": "The relay offers STARTTLS but cannot do it: ask its administrator, or use the port"
    f" for direct TLS (465) with {SSL} on.",
    "AUTH": f"Check {USERNAME}, {PASSWORD} and {AUTHENTICATION} in the block.",
    "MAIL": _SENDER,
    "RCPT": "Check the recipient's address; a relay that refuses every recipient may want"
    f" {CREDENTIALS}.",
    "DATA": "Check with the relay's administrator what it refuses.",
    "body": "The relay broke off in the middle of the message: its text says why.",
    "final reply": _CONTENT,
}
"""Where the reply fits no pattern."""

_NO_EHLO = frozenset({500, 502, 530})
"""What servers of other protocols answer to EHLO and HELO."""

_BEFORE_RCPT = frozenset({"greeting", "EHLO", "MAIL"})
_OF_A_RECIPIENT = frozenset({_RECIPIENT, _MAILBOX_FULL})
_MAX_ADVICES = 3


def advise(stage: str, reply: Reply) -> str:
    """Say what to change after a negative reply.

    Args:
        stage: the step of the session.
        reply: what the server answered.
    """
    if not reply.is_negative and stage != "AUTH":
        return advise_broken(stage)
    if stage == "EHLO" and reply.code in _NO_EHLO:
        return NOT_SMTP
    if reply.code in (530, 538):
        return _ENCRYPT if reply.code == 538 or "TLS" in reply.text.upper() else _AUTHENTICATE
    if stage == "MAIL" and (reply.code == 555 or reply.enhanced_code == "5.5.4"):
        return _BY_STAGE["DATA"]  # a parameter of the command's, such as SIZE
    found = _find(stage, reply)
    return found or (_LATER if reply.is_transient else _BY_STAGE.get(stage, _BY_STAGE["DATA"]))


def advise_recipients(refusals: list[Refusal]) -> str:
    """Say what to change after every recipient was refused: each thing once.

    Args:
        refusals: the answer to each RCPT.
    """
    replies = (Reply(r.code, (f"{r.enhanced_code} {r.text}".strip(),)) for r in refusals)
    advices = dict.fromkeys(advise("RCPT", reply) for reply in replies)
    return " ".join([*advices][:_MAX_ADVICES])


def advise_token(reply: Reply, *, is_fetched: bool) -> str:
    """Say what to change after an access token was refused.

    Args:
        reply: what the server answered.
        is_fetched: it came from ``oauth_token_url``, and was new.
    """
    if "smtpclientauthentication is disabled" in reply.text.lower():
        return _SMTP_AUTH_IS_OFF
    if is_fetched:
        return (
            "The relay does not take a new access token: check that it is for the account in"
            f" {USERNAME}, that {OAUTH_SCOPE} is for SMTP, and that the application has been"
            " permitted to use the mailbox."
        )
    return (
        f"The access token in {PASSWORD} has expired, or is not for {USERNAME} and SMTP: set a new"
        f" one, or let {OAUTH_TOKEN_URL} get one."
    )


def _find(stage: str, reply: Reply) -> str:
    text = str(reply)
    if stage == "STARTTLS":
        return ""
    table = _OF_THE_LOGIN if stage == "AUTH" else _OF_THE_ENVELOPE
    found = (advice for pattern, advice in table if re.search(pattern, text, re.IGNORECASE))
    advice = next(found, "")
    is_misread = advice in _OF_A_RECIPIENT and stage in _BEFORE_RCPT
    # Who is not known for now may be known later.
    return "" if is_misread or (advice is _RECIPIENT and reply.is_transient) else advice
