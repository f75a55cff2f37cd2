"""What a token endpoint answered (RFC 6749, section 5): a grant, or an error that names a field."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import SecretStr

from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    DeliveryError,
    PermanentFailure,
    TransientFailure,
)
from prefect_smtp_relay.transports.masking import mask
from prefect_smtp_relay.transports.redaction import Redactor
from prefect_smtp_relay.transports.smtp.auth.tokens import Grant
from prefect_smtp_relay.transports.smtp.config import OAuthConfig
from prefect_smtp_relay.transports.smtp.reply import printable

_TOKEN = re.compile(r"[!-~]+")
_REFRESH_TOKEN = re.compile(r"[ -~]+")  # RFC 6749, appendix A.17
_USUAL_LIFE_SECONDS = 300.0
"""For an answer without ``expires_in``: a token that lives shorter is refused, and renewed."""

_MAX_LIFE_SECONDS = 86_400.0
_DENIED = frozenset({400, 401, 403})
_PASSING = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
URL = "*Advanced: OAuth token URL* (`oauth_token_url`)"
CLIENT_ID = "*Advanced: OAuth client ID* (`oauth_client_id`)"
CLIENT_SECRET = "*Advanced: OAuth client secret* (`oauth_client_secret`)"  # noqa: S105  # a field's title
REFRESH_TOKEN = "*Advanced: OAuth refresh token* (`oauth_refresh_token`)"  # noqa: S105  # as above
SCOPE = "*Advanced: OAuth scope* (`oauth_scope`)"
_ADVICE = {
    "invalid_client": f"Check {CLIENT_ID} and {CLIENT_SECRET} in the block; a secret may have"
    " expired.",
    "unauthorized_client": f"Check {CLIENT_ID}, and whether the application may use this grant.",
    "invalid_scope": f"Check {SCOPE} in the block.",
    "unsupported_grant_type": f"Check {URL}; without {REFRESH_TOKEN} the grant is that of client"
    " credentials.",
}
_REFRESH_IS_OVER = (
    "The refresh token has expired, was revoked, or belongs to another application: set"
    f" {REFRESH_TOKEN} in the block to a new one."
)
_OTHERWISE = f"Check {URL}, {CLIENT_ID}, {CLIENT_SECRET} and {SCOPE} in the block."
_LATER = "The trouble is the token endpoint's; it is tried again later."
_NO_ENDPOINT = f"Check {URL} in the block; redirects are not followed."


@dataclass(frozen=True)
class TokenAnswer:
    """An HTTP answer; it may contain a new token, or repeat any secret of the request.

    Args:
        status, body: of the answer.
        oauth: what was asked with.
        is_refresh: whether it was asked with a refresh token.
        redactor: masks the secrets of the request.
    """

    status: int
    body: bytes
    oauth: OAuthConfig
    is_refresh: bool
    redactor: Redactor

    def __repr__(self) -> str:
        return f"TokenAnswer({self.status})"

    def read_grant(self, transport: str) -> Grant:
        """Return what was granted.

        Raises:
            AuthenticationFailed, TransientFailure, PermanentFailure: nothing was.
        """
        if self.status != 200:
            raise self._refusal(transport)
        if not _TOKEN.fullmatch(token := self._text("access_token")):
            detail = (
                f"the answer of the token endpoint {self.oauth.host} contains no access token."
                f" {_NO_ENDPOINT}"
            )
            raise PermanentFailure(transport, detail, self.status, stage="AUTH")
        rotated = self._text("refresh_token")
        is_usable = _REFRESH_TOKEN.fullmatch(rotated)
        return Grant(
            SecretStr(token), self._lifetime_seconds(), SecretStr(rotated) if is_usable else None
        )

    def _refusal(self, transport: str) -> DeliveryError:
        kind, advice = self._judge()
        words = ": ".join(filter(None, (self._shown("error"), self._shown("error_description"))))
        reason = f"{self.status} {words}".rstrip(". ")
        detail = f"the token endpoint {self.oauth.host} answered {reason}. {advice}"
        return kind(transport, detail, self.status, stage="AUTH")

    def _judge(self) -> tuple[type[DeliveryError], str]:
        error = self._text("error")
        if self.status >= 500 or self.status in {408, 429} or error in _PASSING:
            return TransientFailure, _LATER
        if self.status not in _DENIED or not error:
            return PermanentFailure, _NO_ENDPOINT
        if error == "invalid_grant" and self.is_refresh:
            return AuthenticationFailed, _REFRESH_IS_OVER
        return AuthenticationFailed, _ADVICE.get(error, _OTHERWISE)

    def _lifetime_seconds(self) -> float:
        """Some endpoints write ``expires_in`` as a text; it may be any number there is."""
        told = self._document.get("expires_in", _USUAL_LIFE_SECONDS)
        try:
            seconds = float(told)
        except OverflowError:
            seconds = math.inf if told > 0 else 0.0
        except (TypeError, ValueError):
            seconds = _USUAL_LIFE_SECONDS
        return min(max(0.0, seconds), _MAX_LIFE_SECONDS)  # this order makes 0.0 of NaN

    @cached_property
    def _document(self) -> dict[str, Any]:
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            found = None
        return found if isinstance(found, dict) else {}

    def _text(self, name: str) -> str:
        value = self._document.get(name)
        return value.strip() if isinstance(value, str) else ""

    def _shown(self, name: str) -> str:
        """Show a text of the endpoint's without any secret that it repeats."""
        granted = Redactor([self._text("access_token"), self._text("refresh_token")])
        return printable(mask(granted(self.redactor(self._text(name))), reasons=True))
