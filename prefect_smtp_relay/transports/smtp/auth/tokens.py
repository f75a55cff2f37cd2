"""Access tokens, kept while they are good: one store for the whole process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

from prefect_smtp_relay.exceptions import AuthenticationFailed, TimedOut
from prefect_smtp_relay.transports.smtp.config import OAuthConfig, SmtpConfig

_MARGIN_SECONDS = 60.0
_MARGIN_SHARE = 0.1


@dataclass(frozen=True)
class Grant:
    """What a token endpoint granted; a refresh token replaces the one that was used."""

    access_token: SecretStr
    lifetime_seconds: float
    refresh_token: SecretStr | None = None


@dataclass(frozen=True)
class LentToken:
    """An access token, and whether it was there already."""

    text: SecretStr
    was_kept: bool


@dataclass
class _Account:
    """What is known of one configuration."""

    refresh_token: SecretStr
    access_token: SecretStr | None = None
    good_until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


Request = Callable[[OAuthConfig, SecretStr, str, float], Grant]
"""Takes the configuration, the refresh token, the transport's name, and a bound in seconds."""


def _request(oauth: OAuthConfig, refresh_token: SecretStr, name: str, seconds: float) -> Grant:
    # httpx costs 100 ms to import: only who uses it pays.
    from prefect_smtp_relay.transports.smtp.auth.token_request import request_token

    return request_token(oauth, refresh_token, name, seconds)


class TokenStore:
    """Keeps a token for each configuration until shortly before its life ends; safe with threads.

    The process's own is in the process memory; tests hand in a request and a clock.
    """

    def __init__(
        self, request: Request = _request, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._request = request
        self._clock = clock
        self._accounts: dict[OAuthConfig, _Account] = {}
        self._lock = threading.Lock()

    def lend(self, oauth: OAuthConfig, config: SmtpConfig, *, is_new: bool = False) -> LentToken:
        """Return a token that is good; whoever comes first gets it for all who wait.

        Args:
            oauth: where tokens come from.
            config: whose name is in errors, and whose ``timeout_seconds`` bounds it all.
            is_new: ask for one, whatever is kept.

        Raises:
            EmailError: there is none to be had.
        """
        deadline = self._clock() + config.timeout_seconds
        account = self._account(oauth)
        if not account.lock.acquire(timeout=config.timeout_seconds):
            raise _waited_in_vain(oauth, config)
        try:
            now = self._clock()
            if account.access_token is not None and now < account.good_until and not is_new:
                return LentToken(account.access_token, was_kept=True)
            # A request that is given up too early may lose a refresh token that was rotated.
            if deadline - now < config.timeout_seconds / 2:
                raise _waited_in_vain(oauth, config)
            return self._renew(account, oauth, config.name, deadline - now)
        finally:
            account.lock.release()

    def forget(self, oauth: OAuthConfig, token: SecretStr) -> None:
        """Give up a token that a server refused, unless another one has taken its place."""
        account = self._account(oauth)
        with account.lock:
            if account.access_token == token:
                account.access_token = None

    def _account(self, oauth: OAuthConfig) -> _Account:
        with self._lock:
            return self._accounts.setdefault(oauth, _Account(oauth.refresh_token))

    def _renew(self, account: _Account, oauth: OAuthConfig, name: str, seconds: float) -> LentToken:
        account.access_token = None
        asked = self._clock()
        try:
            grant = self._request(oauth, account.refresh_token, name, seconds)
        except AuthenticationFailed:
            account.refresh_token = oauth.refresh_token  # one that was rotated may be revoked
            raise
        life = grant.lifetime_seconds
        account.good_until = asked + life - min(_MARGIN_SECONDS, _MARGIN_SHARE * life)
        account.refresh_token = grant.refresh_token or account.refresh_token
        account.access_token = grant.access_token
        return LentToken(grant.access_token, was_kept=False)


def _waited_in_vain(oauth: OAuthConfig, config: SmtpConfig) -> TimedOut:
    return TimedOut(
        config.name,
        f"another thread waits for an access token of {oauth.host}, and none has come in time. If"
        " it goes on, check *Advanced: OAuth token URL* (`oauth_token_url`), or raise"
        " *Advanced: Timeout in seconds* (`timeout_seconds`).",
        stage="AUTH",
    )
