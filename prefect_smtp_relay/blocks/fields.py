"""Checks of single fields; each text says what to write instead. Prefect adds the field's name."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from cryptography import x509
from pydantic import HttpUrl, SecretStr

from prefect_smtp_relay.exceptions import InvalidMailbox, MessageError
from prefect_smtp_relay.mail.categories import read_categories
from prefect_smtp_relay.mail.domain import to_a_labels
from prefect_smtp_relay.mail.mailbox import Mailbox

_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\w\s+/=:,-]+?-----END \1-----")

LOGO_URL = HttpUrl(
    "https://raw.githubusercontent.com/PrefectHQ/prefect/"
    "420d0d6a78bb6df1fc18bcf188fdad43c1d22ea9/assets/block-logos/email.png"
)
"""The picture that Prefect's own e-mail block shows."""


def documentation_url(section: str) -> HttpUrl:
    """The README's section on a block."""
    return HttpUrl(
        f"https://github.com/prefect-smtp-relay/prefect-smtp-relay/blob/main/README.md#{section}"
    )


def check_host_name(value: str) -> str:
    """Return a host name as A-labels, or an IP address.

    Raises:
        ValueError: it is blank, holds a scheme, credentials, a port or a blank, or is no host
            name. No text repeats what stands before an ``@``: it may be a password.
    """
    value = value.strip()
    if not value:
        raise ValueError("is blank; write the server's host name, such as smtp.example.org")
    if "://" in value:
        host = urlsplit(value).hostname or "smtp.example.org"
        raise ValueError(f"holds a scheme; write only the host name: {host}")
    if _is_ip_address(value.strip("[]")):
        return value.strip("[]")
    if "@" in value:
        raise ValueError(
            "holds an @; write only the server's host name, and the credentials into the fields"
            " username and password"
        )
    host, colon, port = value.partition(":")
    if colon:
        raise ValueError(
            f"holds a port; write {host} here, and {port or '587'} into the field port"
        )
    if any(character.isspace() for character in value):
        raise ValueError("holds a blank; write one host name, such as smtp.example.org")
    return to_a_labels(value)


def check_helo_domain(value: str) -> str:
    """Return the HELO name as A-labels or address literal; blank stays blank.

    Raises:
        ValueError: it is neither (RFC 5321, section 4.1.1.1).
    """
    if not value.strip():
        return ""
    try:
        return to_a_labels(value.strip())
    except ValueError as error:
        raise ValueError(f"{error}; write this host's own name, or leave it blank") from error


def check_mailbox(value: str) -> str:
    """Return a mailbox in its plain spelling; blank stays blank.

    Raises:
        ValueError: it is no mailbox.
    """
    try:
        return str(Mailbox.parse(value.strip())) if value.strip() else ""
    except InvalidMailbox as error:
        raise ValueError(_without_field(error)) from error


def check_mailboxes(value: str) -> str:
    """Return mailboxes in their plain spelling, with commas between them; blank stays blank.

    A form draws a text area: what stands behind a comma may stand on a line of its own.

    Raises:
        ValueError: one of them is no mailbox.
    """
    try:
        in_one_line = " ".join(value.splitlines())
        return ", ".join(str(mailbox) for mailbox in Mailbox.parse_list(in_one_line, "address"))
    except InvalidMailbox as error:
        raise ValueError(_without_field(error)) from error


def strip_blanks(value: str) -> str:
    """Return a text without blanks and line ends around it."""
    return value.strip()


def strip_line_ends(value: SecretStr) -> SecretStr:
    """Return a secret without line ends around it.

    Prefect's old form draws a text area for a secret: Enter adds a line end to it, and a secret
    that is pasted often brings one along.
    """
    return SecretStr(value.get_secret_value().strip("\r\n"))


def check_pem(value: str) -> str:
    """Return PEM text that holds at least one certificate; blank stays blank.

    Raises:
        ValueError: it holds none, or a broken one.
    """
    if not value.strip():
        return ""
    try:
        x509.load_pem_x509_certificates(value.encode())
    except ValueError as error:
        raise ValueError(
            "holds no readable certificate; paste the CA's PEM text, with its lines -----BEGIN"
            " CERTIFICATE----- and -----END CERTIFICATE-----"
        ) from error
    return value


def check_tls_name(value: str) -> str:
    """Return the name that a certificate is for as A-labels, or an IP address.

    Raises:
        ValueError: it is neither.
    """
    value = value.strip().strip("[]")
    if not value or _is_ip_address(value):
        return value
    try:
        return to_a_labels(value)
    except ValueError as error:
        raise ValueError(f"{error}; write the host name in the relay's certificate") from error


def check_private_key(value: SecretStr) -> SecretStr:
    """Return the PEM text of a private key; an empty one stays empty.

    Raises:
        ValueError: it is not one, or has a passphrase. No text repeats it.
    """
    pem = SecretStr(value.get_secret_value().strip())
    if "ENCRYPTED" in pem.get_secret_value():
        raise ValueError("has a passphrase; write the key without one (openssl pkey -in KEY)")
    if pem and not _PRIVATE_KEY.search(pem.get_secret_value()):
        raise ValueError(
            "is not a private key in PEM; paste it with its lines -----BEGIN PRIVATE KEY----- and"
            " -----END PRIVATE KEY-----"
        )
    return pem


def check_api_url(value: str) -> str:
    """Return the base address of an HTTP API, without a final slash.

    Raises:
        ValueError: it is not https, except to a loopback address, or has a path.
    """
    value = value.strip().rstrip("/")
    parts = _split_url(value)
    if parts is None or set("?# \t") & set(value) or parts.path:
        raise ValueError("is no base address; write it like https://api.sendgrid.com")
    if "@" in parts.netloc:
        raise ValueError("holds credentials; the key goes into the field api_key")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError(f"would carry the key unencrypted; write https://{parts.netloc}")
    return parts.geturl()


def check_categories(values: list[str]) -> list[str]:
    """Return the labels for SendGrid's statistics, without blanks around them.

    Raises:
        ValueError: SendGrid would refuse every mail for one of them.
    """
    try:
        return list(read_categories(values))
    except MessageError as error:
        raise ValueError(str(error).removeprefix("categories: ").rstrip(".")) from error


def check_token_url(value: str) -> str:
    """Return the address of an OAuth token endpoint; blank stays blank.

    Raises:
        ValueError: it is not https, except to a loopback address, or is no such address (RFC
            6749, section 3.2). No text repeats it: it may hold a password.
    """
    value = value.strip()
    if not value:
        return ""
    parts = _split_url(value)
    if parts is None or parts.fragment or any(map(str.isspace, value)):
        raise ValueError(
            "is no address of a token endpoint; write it like https://oauth2.googleapis.com/token"
        )
    if "@" in parts.netloc:
        raise ValueError(
            "holds credentials; write them into oauth_client_id and oauth_client_secret"
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError("would carry the secrets unencrypted; write it with https://")
    return value


def _split_url(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        is_usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if is_usable else None


def _without_field(error: InvalidMailbox) -> str:
    return str(error).removeprefix("address: ").rstrip(".")


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_ip_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
