"""The store of access tokens: kept while they are good, one request at a time, nothing shown."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import AuthenticationFailed, EmailError, TimedOut
from prefect_smtp_relay.transports.smtp import OAuthConfig, SmtpConfig
from prefect_smtp_relay.transports.smtp.auth.tokens import Grant, TokenStore
from tests.transports.sendgrid.api_server import ApiServer, stall

from .sasl_server import grant

CONFIG = SmtpConfig("mx.example.org", timeout_seconds=5.0)
OAUTH = OAuthConfig(
    "https://id.example.org/token", "app", SecretStr("canary-secret"), SecretStr("canary-refresh")
)


class Endpoint:
    """Grants the tokens t1, t2 and so on, of one life, and notes the refresh tokens it got."""

    def __init__(self, life: float = 3600.0, rotated: str = "") -> None:
        self.asked: list[str] = []
        self._life = life
        self._rotated = rotated

    def __call__(self, _: OAuthConfig, refresh: SecretStr, *__: object) -> Grant:
        """Grant the next one."""
        self.asked.append(refresh.get_secret_value())
        number = len(self.asked)
        rotated = SecretStr(f"{self._rotated}{number}") if self._rotated else None
        return Grant(SecretStr(f"t{number}"), self._life, rotated)


@pytest.mark.parametrize(("life", "good_for"), [(3600.0, 3540.0), (600.0, 540.0), (100.0, 90.0)])
def test_a_token_is_given_up_before_its_life_ends(life: float, good_for: float) -> None:
    """Sixty seconds before, or a tenth of a short life."""
    now, ask = [1000.0], Endpoint(life)
    store = TokenStore(ask, lambda: now[0])
    first = store.lend(OAUTH, CONFIG)
    assert (first.text.get_secret_value(), first.was_kept) == ("t1", False)
    now[0] += good_for - 1
    assert store.lend(OAUTH, CONFIG).was_kept
    now[0] += 1
    last = store.lend(OAUTH, CONFIG)
    assert (last.text.get_secret_value(), last.was_kept) == ("t2", False)


def test_a_token_without_a_life_is_not_kept() -> None:
    """It serves the login that it was fetched for, and no other."""
    store = TokenStore(Endpoint(0.0), lambda: 1000.0)
    assert not store.lend(OAUTH, CONFIG).was_kept
    assert not store.lend(OAUTH, CONFIG).was_kept


def test_a_rotated_refresh_token_is_used_from_then_on() -> None:
    """Each answer's refresh token takes the place of the one before, the block's too."""
    ask = Endpoint(rotated="r")
    store = TokenStore(ask)
    for _ in range(3):
        store.forget(OAUTH, store.lend(OAUTH, CONFIG).text)
    assert ask.asked == ["canary-refresh", "r1", "r2"]


def test_after_a_denial_the_blocks_own_refresh_token_is_tried() -> None:
    """A rotated token may have been revoked; nothing is kept, and each call asks again."""
    asked: list[str] = []

    def ask(_: OAuthConfig, refresh: SecretStr, name: str, __: float) -> Grant:
        asked.append(refresh.get_secret_value())
        if len(asked) == 2:
            raise AuthenticationFailed(name, "denied")
        return Grant(SecretStr("t"), 3600.0, SecretStr("rotated"))

    store = TokenStore(ask)
    store.lend(OAUTH, CONFIG)
    with pytest.raises(AuthenticationFailed):
        store.lend(OAUTH, CONFIG, is_new=True)
    assert not store.lend(OAUTH, CONFIG).was_kept
    assert asked == ["canary-refresh", "rotated", "canary-refresh"]


def test_configurations_share_nothing() -> None:
    """Another client, secret or scope has a token of its own."""
    store = TokenStore(Endpoint())
    others = [
        replace(OAUTH, client_id="other"),
        replace(OAUTH, client_secret=SecretStr("other")),
        replace(OAUTH, scope="other"),
    ]
    tokens = {store.lend(oauth, CONFIG).text for oauth in [OAUTH, *others]}
    assert len(tokens) == 4
    assert store.lend(replace(OAUTH), CONFIG).was_kept


def test_a_token_that_took_the_place_of_a_refused_one_stays() -> None:
    """Who comes late with a refusal of the old token does not throw the new one away."""
    store = TokenStore(Endpoint())
    old = store.lend(OAUTH, CONFIG).text
    store.forget(OAUTH, old)
    store.lend(OAUTH, CONFIG)
    store.forget(OAUTH, old)
    assert store.lend(OAUTH, CONFIG).was_kept


def test_eight_threads_make_one_request(endpoint: ApiServer) -> None:
    """Whoever comes while a token is fetched waits for that one."""
    together = threading.Barrier(8)
    endpoint.answers = [grant("t1")]
    store, oauth = TokenStore(), replace(OAUTH, token_url=f"{endpoint.url}/token")

    def lend(_: int) -> str:
        together.wait(10)
        return store.lend(oauth, CONFIG).text.get_secret_value()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lend, range(8))) == {"t1"}
    assert len(endpoint.requests) == 1


def test_who_waits_for_another_thread_waits_no_longer_than_for_its_own_request(
    endpoint: ApiServer,
) -> None:
    """A silent endpoint holds eight threads for far less than eight timeouts, and is asked once."""
    endpoint.answers = [stall] * 8
    store, oauth = TokenStore(), replace(OAUTH, token_url=f"{endpoint.url}/token")
    config, together = replace(CONFIG, timeout_seconds=1.0), threading.Barrier(8)

    def lend(_: int) -> EmailError:
        together.wait(10)
        with pytest.raises(TimedOut) as caught:
            store.lend(oauth, config)
        return caught.value

    began = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        errors = list(threads.map(lend, range(8)))
    assert time.monotonic() - began < 5
    assert len(endpoint.requests) == 1
    assert all(error.transient for error in errors)


def test_nothing_that_holds_a_token_shows_it(caplog: pytest.LogCaptureFixture) -> None:
    """Configurations, grants, stores and what is lent mask every secret, and nothing is logged."""
    with caplog.at_level(logging.DEBUG):
        store = TokenStore(lambda *_: Grant(SecretStr("canary-t"), 60.0, SecretStr("canary-r")))
        lent = store.lend(OAUTH, CONFIG)
    config = replace(CONFIG, oauth=replace(OAUTH, token_url="https://h/?canary"))
    shown = f"{lent!r} {store._accounts!r} {config!r} {OAUTH!r} {caplog.text}"
    assert "canary" not in shown
    assert hash(config) == hash(replace(config))
