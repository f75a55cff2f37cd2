"""Checks of single fields; each text says what to write instead. Prefect adds the field's name."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from pydantic import HttpUrl, SecretStr

from prefect_smtp_relay.exceptions import InvalidField, InvalidMailbox, MessageError
from prefect_smtp_relay.mail.categories import read_categories
from prefect_smtp_relay.mail.domain import to_a_labels
from prefect_smtp_relay.mail.mailbox import Mailbox

_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\w\s+/=:,-]+?-----END \1-----")

LOGO_URL = HttpUrl(
    "https://raw.githubusercontent.com/PrefectHQ/prefect/"
    "420d0d6a78bb6df1fc18bcf188fdad43c1d22ea9/assets/block-logos/email.png"
)
"""The picture that Prefect's own e-mail block shows."""


def documentation_url(page: str) -> HttpUrl:
    """The page on how to do what a block is for."""
    return HttpUrl(f"https://prefect-smtp-relay.github.io/prefect-smtp-relay/how-to/{page}/")


def check_host_name(value: str) -> str:
    """Return a host name as A-labels, or an IP address.

    Raises:
        InvalidField: it is empty, has a scheme, credentials, a port or a space, or is not a host
            name. No text repeats what comes before an ``@``: it may be a password.
    """
    value = value.strip()
    if not value:
        raise InvalidField("is empty", "Write the server's host name, such as smtp.example.org.")
    if "://" in value:
        host = urlsplit(value).hostname or "smtp.example.org"
        raise InvalidField("has a scheme", f"Write only the host name: {host}.")
    if _is_ip_address(value.strip("[]")):
        return value.strip("[]")
    if "@" in value:
        raise InvalidField(
            "contains an @",
            "Write only the server's host name; the credentials go into *Username* (`username`) and"
            " *Password* (`password`).",
        )
    host, colon, port = value.partition(":")
    if colon:
        raise InvalidField(
            "has a port", f"Write {host} here, and {port or '587'} into *Port* (`port`)."
        )
    if any(character.isspace() for character in value):
        raise InvalidField("contains a space", "Write one host name, such as smtp.example.org.")
    return _to_a_labels(value, "Write the server's host name, such as smtp.example.org.")


def check_helo_domain(value: str) -> str:
    """Return the HELO name as A-labels or address literal; empty stays empty.

    Raises:
        InvalidField: it is neither (RFC 5321, section 4.1.1.1).
    """
    name = value.strip()
    return _to_a_labels(name, "Write this host's own name, or leave it empty.") if name else ""


def check_mailbox(value: str) -> str:
    """Return a mailbox in its plain spelling; empty stays empty.

    Raises:
        InvalidMailbox: it is not a mailbox.
    """
    try:
        return str(Mailbox.parse(value.strip())) if value.strip() else ""
    except InvalidMailbox as error:
        raise error.copy(field="") from error


def check_mailboxes(value: str) -> str:
    """Return mailboxes in their plain spelling, with commas between them; empty stays empty.

    A form draws a text area: each mailbox may be on a line of its own.

    Raises:
        InvalidMailbox: one of them is not a mailbox.
    """
    in_one_line = " ".join(value.splitlines())
    try:
        return ", ".join(map(str, Mailbox.parse_list(in_one_line)))
    except InvalidMailbox as error:
        raise error.copy(field="") from error


def strip_spaces(value: str) -> str:
    """Return a text without spaces and line ends around it."""
    return value.strip()


def strip_line_ends(value: SecretStr) -> SecretStr:
    """Return a secret without line ends around it.

    Prefect's old form draws a text area for a secret: Enter adds a line end to it, and a secret
    that is pasted often brings one along.
    """
    return SecretStr(value.get_secret_value().strip("\r\n"))


def check_pem(value: str) -> str:
    """Return PEM text that has at least one certificate; empty stays empty.

    Raises:
        InvalidField: it has none, or a broken one.
    """
    if not value.strip():
        return ""
    from cryptography import x509  # costs 30 ms to load: only who trusts a CA of their own pays

    try:
        x509.load_pem_x509_certificates(value.encode())
    except ValueError as error:
        raise InvalidField(
            "has no readable certificate",
            "Paste the PEM text, with its lines -----BEGIN CERTIFICATE----- and -----END"
            " CERTIFICATE-----.",
        ) from error
    return value


def check_tls_name(value: str) -> str:
    """Return the name that a certificate is for as A-labels, or an IP address.

    Raises:
        InvalidField: it is neither.
    """
    value = value.strip().strip("[]")
    if not value or _is_ip_address(value):
        return value
    return _to_a_labels(value, "Write the host name in the relay's certificate.")


def check_private_key(value: SecretStr) -> SecretStr:
    """Return the PEM text of a private key; an empty one stays empty.

    Raises:
        InvalidField: it is not one, or has a passphrase. No text repeats it.
    """
    pem = SecretStr(value.get_secret_value().strip())
    if "ENCRYPTED" in pem.get_secret_value():
        raise InvalidField("has a passphrase", "Write the key without one: openssl pkey -in KEY.")
    if pem and not _PRIVATE_KEY.search(pem.get_secret_value()):
        raise InvalidField(
            "is not a private key in PEM",
            "Paste it with its lines -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY-----.",
        )
    return pem


def check_api_key(value: SecretStr) -> SecretStr:
    """Return SendGrid's key without spaces around it; an empty one stays empty.

    Raises:
        InvalidField: it contains what no key has. No text repeats it.
    """
    key = value.get_secret_value().strip()
    if not key.isascii() or any(character.isspace() for character in key):
        raise InvalidField("contains a character that no key has", "Paste it again.")
    return SecretStr(key)


def check_api_url(value: str) -> str:
    """Return the base address of an HTTP API, without a final slash.

    Raises:
        InvalidField: it is not https, except to a loopback address, or has a path.
    """
    value = value.strip().rstrip("/")
    parts = _split_url(value)
    if parts is None or set("?# \t") & set(value) or parts.path:
        raise InvalidField("is not a base address", "Write it like https://api.sendgrid.com.")
    if "@" in parts.netloc:
        raise InvalidField("contains credentials", "The key goes into *API key* (`api_key`).")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise InvalidField("would carry the key unencrypted", f"Write https://{parts.netloc}.")
    return parts.geturl()


def check_categories(values: list[str]) -> list[str]:
    """Return the labels for SendGrid's statistics, without spaces around them.

    Raises:
        MessageError: SendGrid would refuse every mail for one of them.
    """
    try:
        return list(read_categories(values))
    except MessageError as error:
        raise error.copy(field="") from error


def check_token_url(value: str) -> str:
    """Return the address of an OAuth token endpoint; empty stays empty.

    Raises:
        InvalidField: it is not https, except to a loopback address, or not such an address (RFC
            6749, section 3.2). No text repeats it: it may contain a password.
    """
    value = value.strip()
    if not value:
        return ""
    parts = _split_url(value)
    if parts is None or parts.fragment or any(map(str.isspace, value)):
        raise InvalidField(
            "is not the address of a token endpoint",
            "Write it like https://oauth2.googleapis.com/token.",
        )
    if "@" in parts.netloc:
        raise InvalidField(
            "contains credentials",
            "Write them into *Advanced: OAuth client ID* (`oauth_client_id`) and *Advanced: OAuth"
            " client secret* (`oauth_client_secret`).",
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise InvalidField("would carry the secrets unencrypted", "Write it with https://.")
    return value


def _to_a_labels(name: str, fix: str) -> str:
    try:
        return to_a_labels(name)
    except ValueError as error:
        raise InvalidField(str(error), fix) from error


def _split_url(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        is_usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if is_usable else None


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_ip_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
