"""What a SendGrid transport has to know."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from prefect_smtp_relay.exceptions import RelayConfigurationError

GLOBAL_URL = "https://api.sendgrid.com"
EU_URL = "https://api.eu.sendgrid.com"
"""Where subusers of the EU region are served: each region knows its own keys only, and mail that is
handed over in the EU is processed and kept there."""

_OTHER_REGION = {GLOBAL_URL: EU_URL, EU_URL: GLOBAL_URL}
_KEY_START = "SG."
_HEADER_SAFE = re.compile(r"[!-~]+")
_USUAL_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class SendGridConfig:
    """The settings of one SendGrid account; the block checks what a person can get wrong.

    Args:
        api_key: goes into the Authorization header and nowhere else.
        api_url: `GLOBAL_URL`, or `EU_URL` for accounts in the EU.
        sandbox_mode: SendGrid checks the mail and accepts nothing.
        categories: of every mail: labels in SendGrid's statistics.
        timeout_seconds: bound of a whole request, from the look-up of the name to the end of the
            answer; a large one has a second more for each 64 KiB.

    Raises:
        RelayConfigurationError: the key could not be in a header: the HTTP library would
            repeat it in its error. Or the URL names no host.
    """

    api_key: SecretStr
    api_url: str = GLOBAL_URL
    sandbox_mode: bool = False
    categories: tuple[str, ...] = ()
    timeout_seconds: float = 30.0

    def __post_init__(self) -> None:
        if not _HEADER_SAFE.fullmatch(self.api_key.get_secret_value()):
            raise RelayConfigurationError(
                "is empty, or contains a space, a line end or a non-ASCII character",
                "Copy the key from SendGrid again; it starts with SG. and is one word.",
                field="api_key",
            )
        _split(self.api_url)

    def url_of(self, path: str) -> str:
        """Where a path of the API lies."""
        return self.api_url.rstrip("/") + path

    @property
    def other_region_url(self) -> str:
        """Where the account would be served in SendGrid's other region; empty for other hosts."""
        return _OTHER_REGION.get(self.api_url.rstrip("/"), "")

    @property
    def name(self) -> str:
        """Loggable, without a secret: ``sendgrid://api.sendgrid.com``."""
        return name_of(self.api_url)


def name_of(api_url: str) -> str:
    """Name an account by its host, with the port where that is not the scheme's own.

    Raises:
        RelayConfigurationError: the URL names no host.
    """
    url = _split(api_url)
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    is_usual = url.port in (None, _USUAL_PORTS[url.scheme])
    return f"sendgrid://{host}" if is_usual else f"sendgrid://{host}:{url.port}"


def _split(api_url: str) -> SplitResult:
    """Read the URL; one with a user name would replace the key by basic authentication."""
    try:
        url = urlsplit(api_url)
        is_usable = url.scheme in _USUAL_PORTS and url.hostname and url.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or "@" in url.netloc:
        raise RelayConfigurationError(
            "is not an https URL with a host and without a user name",
            f"Set it to {GLOBAL_URL}, or to {EU_URL} for EU accounts.",
            field="api_url",
        )
    return url


def key_hint(api_key: SecretStr) -> str:
    """Say what may be wrong with a key that SendGrid does not know; empty where it looks right.

    A key is never refused for its shape: SendGrid may change that, and a gateway has its own.
    """
    if api_key.get_secret_value().startswith(_KEY_START):
        return ""
    return (
        f"The key does not begin with {_KEY_START} as SendGrid's keys do: copy the whole key, which"
        " SendGrid shows only once; its API Key ID is another thing."
    )
