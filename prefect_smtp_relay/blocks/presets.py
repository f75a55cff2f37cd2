"""Address, port, TLS and mechanism of well-known mail services, and what to know before using one.

Pure data, from the services' own documentation. All of them have certificates that every system
trusts, so that the certificate is checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from prefect_smtp_relay.exceptions import RelayConfigurationError, nearest
from prefect_smtp_relay.transports.masking import mask


@dataclass(frozen=True)
class Preset:
    """How one service takes mail.

    Args:
        name: for ``--preset``.
        title: as people call it.
        address, port, ssl: of the SMTP block; where ``ssl`` is off, STARTTLS is required.
        advice: what to prepare, one matter a line.
        authentication: the mechanism that it takes.
        username: what to write there; a fixed one where it has no space.
    """

    name: str
    title: str
    address: str
    port: int
    ssl: bool
    username: str
    advice: tuple[str, ...] = field(repr=False)
    authentication: str = "plain"

    @property
    def settings(self) -> dict[str, Any]:
        """The block's fields."""
        return {
            "address": self.address,
            "port": self.port,
            "ssl": self.ssl,
            "enable_starttls": not self.ssl,
            "authentication": self.authentication,
            "ssl_verify_mode": "peer",
        }


def find_preset(name: str) -> Preset:
    """Return the preset of this name.

    Raises:
        RelayConfigurationError: there is none; the text lists them.
    """
    if (preset := PRESETS.get(name.strip().lower())) is not None:
        return preset
    near = nearest(name.lower(), PRESETS)
    hint = f"Did you mean {near}?" if near else f"There are: {', '.join(PRESETS)}."
    raise RelayConfigurationError(
        f"{mask(name)!r} is not a known mail service", hint, field="preset"
    )


_ALL = (
    Preset(
        "gmail",
        "Gmail and Google Workspace accounts",
        "smtp.gmail.com",
        587,
        ssl=False,
        username="the account's full address",
        advice=(
            "The account's own password is refused: switch 2-Step Verification on and create an"
            " app password (myaccount.google.com/apppasswords). A Workspace administrator can"
            " forbid app passwords: then set `authentication` to xoauth2, with the `oauth_` fields"
            " (README, OAuth).",
            "From must be the account or one of its aliases; Gmail rewrites any other.",
            "About 500 recipients a day for gmail.com, 2,000 for Workspace; more go through the"
            " preset google-workspace-relay.",
        ),
    ),
    Preset(
        "google-workspace-relay",
        "Google Workspace SMTP relay",
        "smtp-relay.gmail.com",
        587,
        ssl=False,
        username="none if this host's IP address is allowed, else a Workspace account",
        advice=(
            "An administrator adds the relay first: Google Admin console, Apps, Google Workspace,"
            " Gmail, Routing, SMTP relay service; allow this host's public IP address, or require"
            " SMTP authentication (with an app password).",
            "Without authentication, set `domain` to one of your Workspace domains: Google looks at"
            " the name in EHLO.",
            "From must lie in one of your domains.",
        ),
    ),
    Preset(
        "microsoft365",
        "Microsoft 365 (Exchange Online)",
        "smtp.office365.com",
        587,
        ssl=False,
        username="the mailbox's full address",
        authentication="login",
        advice=(
            "Authenticated SMTP is off by default: an administrator switches it on for the mailbox"
            " (Microsoft 365 admin center, Active users, Mail, Manage email apps). Security"
            " defaults and Conditional Access switch it off again.",
            "Microsoft is retiring passwords here (Basic authentication for SMTP AUTH) in favour of"
            " OAuth. Where 535 5.7.139 says that it is disabled, no password will do: set"
            " `authentication` to xoauth2, with the `oauth_` fields (README, OAuth).",
            "From must be the mailbox, or one that it has Send As for.",
            "At most 30 messages a minute and 10,000 recipients a day.",
            "outlook.com and hotmail.com take OAuth only: xoauth2, with a refresh token.",
        ),
    ),
    Preset(
        "ses",
        "Amazon SES",
        "email-smtp.us-east-1.amazonaws.com",
        587,
        ssl=False,
        username="the SMTP user name (begins with AKIA)",
        advice=(
            "Put your own region into the address: email-smtp.REGION.amazonaws.com.",
            "User name and password are SMTP credentials, created in the SES console under SMTP"
            " settings; an IAM secret key itself is refused.",
            "Verify the sender's address or domain in the same region. A new account is in the"
            " sandbox: it may write to verified recipients only.",
            "EC2 blocks port 25; 587 is open.",
        ),
    ),
    Preset(
        "mailgun",
        "Mailgun",
        "smtp.mailgun.org",
        587,
        ssl=False,
        username="an SMTP user of the domain, such as postmaster@mg.example.org",
        advice=(
            "Domains in the EU region: smtp.eu.mailgun.org.",
            "The password is that of the domain's SMTP credentials (Sending, Domain settings), not"
            " the API key.",
            "A sandbox domain writes to authorised recipients only.",
        ),
    ),
    Preset(
        "postmark",
        "Postmark",
        "smtp.postmarkapp.com",
        587,
        ssl=False,
        username="the server's API token",
        advice=(
            "The server's API token is both user name and password.",
            "The sender must be a confirmed Sender Signature or lie in a verified domain.",
            "Mail goes through the default transactional stream; another one is chosen by the"
            " header X-PM-Message-Stream.",
        ),
    ),
    Preset(
        "sendgrid-smtp",
        "SendGrid over SMTP",
        "smtp.sendgrid.net",
        587,
        ssl=False,
        username="apikey",
        advice=(
            "The user name is the word apikey, the password an API key with Mail Send.",
            "The sender must be a verified Single Sender, or lie in an authenticated domain.",
            "`connect sendgrid` uses the web API instead, with clearer errors.",
        ),
    ),
    Preset(
        "brevo",
        "Brevo (formerly Sendinblue)",
        "smtp-relay.brevo.com",
        587,
        ssl=False,
        username="the SMTP login shown under SMTP & API",
        advice=(
            "The password is an SMTP key (SMTP & API, SMTP), neither the account's password nor an"
            " API key.",
            "The sender must be verified under Senders & Domains.",
            "The free plan takes 300 mails a day.",
        ),
    ),
    Preset(
        "mailjet",
        "Mailjet",
        "in-v3.mailjet.com",
        587,
        ssl=False,
        username="the API key",
        advice=(
            "The user name is the API key, the password the secret key (Account settings, REST"
            " API).",
            "The sender's address or domain must be validated.",
        ),
    ),
    Preset(
        "zoho",
        "Zoho Mail",
        "smtp.zoho.com",
        465,
        ssl=True,
        username="the mailbox's full address",
        advice=(
            "Accounts with a domain of their own: smtppro.zoho.com. Other data centers have their"
            " own hosts, such as smtp.zoho.eu and smtp.zoho.in.",
            "With two-factor authentication an application-specific password is needed.",
            "From must be the mailbox or one of its aliases.",
        ),
    ),
    Preset(
        "fastmail",
        "Fastmail",
        "smtp.fastmail.com",
        465,
        ssl=True,
        username="the account's full address",
        advice=(
            "The account's own password is refused: create an app password with access to SMTP"
            " (Settings, Privacy & Security).",
            "From may be any address of the account.",
        ),
    ),
    Preset(
        "icloud",
        "iCloud Mail",
        "smtp.mail.me.com",
        587,
        ssl=False,
        username="the full iCloud address",
        advice=(
            "The Apple Account's own password is refused: create an app-specific password"
            " (account.apple.com, Sign-In and Security).",
            "From must be the account's address or one of its aliases; at most 1,000 messages a"
            " day.",
        ),
    ),
    Preset(
        "yahoo",
        "Yahoo Mail",
        "smtp.mail.yahoo.com",
        465,
        ssl=True,
        username="the full Yahoo address",
        advice=(
            "The account's own password is refused: generate an app password (Account security).",
            "From must be the account's own address.",
        ),
    ),
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ALL}
"""By their names."""
