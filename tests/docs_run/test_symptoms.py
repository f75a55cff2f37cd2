"""What the troubleshooting page says people see, provoked: the log has the words that it quotes."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect import flow

from prefect_smtp_relay import (
    SMTP,
    SendGrid,
    asend_an_email,
    email_on_completion,
    send_an_email,
)
from prefect_smtp_relay.exceptions import ConnectionFailed
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.clock import FastClock
from tests.pages import code, page
from tests.transports.sendgrid.api_server import ApiServer

_PAGE = page("troubleshooting")
_GREEN = _PAGE.table("The run is green, but no mail arrives")
_LOG_LINES = [code(row[0]) for row in _GREEN if row[0].startswith("`")]
_SETTING = "PREFECT_INTEGRATIONS_SMTP_RELAY_"


def send(**options: Any) -> None:
    """Send a mail in a flow run."""

    @flow
    def report() -> None:
        send_an_email(**{"to": "ann@example.org", "subject": "Report", "body": "Rows.", **options})

    report()


class World:
    """What a test may change: the relays, the settings, the servers."""

    def __init__(
        self, relay: MailServer, api: ApiServer, set_variable: Callable[..., None]
    ) -> None:
        self.relay, self.api, self.set_variable = relay, api, set_variable

    def connect(self, name: str = "main", port: int = 0) -> None:
        """Save an SMTP block for a server without TLS."""
        host, port = self.relay.host, port or self.relay.port
        SMTP(address=host, port=port, ssl=False, from_address="a@example.org").save(name)


def accepted(world: World) -> None:
    """The relay takes the mail."""
    world.connect()
    send()


def stored(world: World) -> None:
    """Nothing is connected."""
    del world
    send()


def captured(world: World) -> None:
    """Every mail is written into files."""
    world.set_variable(f"{_SETTING}CAPTURE_TO", "mails")
    send()


def used_key(world: World) -> None:
    """The key was used before."""
    world.connect()
    for _ in range(2):
        send(idempotency_key="report/42")


def refused(world: World) -> None:
    """The relay takes one recipient, and refuses the other."""
    world.connect()
    world.relay.refused["bob@example.org"] = "550 5.1.1 no such user"
    send(to="ann@example.org, bob@example.org")


def sandbox(world: World) -> None:
    """SendGrid validates the mail only."""
    SendGrid(
        api_key="SG.x", api_url=world.api.url, from_address="a@example.org", sandbox_mode=True
    ).save("main")
    send()


def failing_hook(world: World) -> None:
    """The mail of a hook is not accepted, and the run completes."""
    world.connect(port=closed_port())

    @flow(on_completion=[email_on_completion("ann@example.org")])
    def report() -> None: ...

    assert report(return_state=True).is_completed()


_PROVOKED = [accepted, stored, captured, used_key, refused, sandbox, failing_hook]


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def pattern(quote: str) -> str:
    """Find what the page quotes in a log, with other numbers, and with something for each `…`."""
    pieces = (re.sub(r"\d+", r"\\d+", re.escape(piece.strip())) for piece in quote.split("…"))
    return ".*".join(pieces)


@pytest.fixture
def world(
    mail_server: MailServer,
    api: ApiServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    fast_clock: FastClock,
) -> World:
    """Work in a folder of its own; tries follow each other at once."""
    del fast_clock
    monkeypatch.chdir(tmp_path)
    return World(mail_server, api, monkeypatch.setenv)


@pytest.mark.parametrize(
    ("quote", "provoke"),
    list(zip(_LOG_LINES, _PROVOKED, strict=True)),
    ids=[provoke.__name__ for provoke in _PROVOKED],
)
@pytest.mark.usefixtures("result_storage")
def test_a_green_run_without_a_mail_says_why(
    quote: str, provoke: Callable[[World], None], world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Each line that the page lists is in the log of such a run."""
    with caplog.at_level(logging.INFO):
        provoke(world)
    assert re.search(pattern(quote), caplog.text), caplog.text


def test_a_coroutine_that_nobody_awaits_mails_nothing(world: World) -> None:
    """The run completes, and the warning is the one that the page names."""
    world.connect()
    assert "`was never awaited`" in _PAGE.text

    @flow
    def report() -> None:
        asend_an_email("ann@example.org", "Report", "Rows.")  # type: ignore[unused-coroutine]  # as people forget to

    with pytest.warns(RuntimeWarning, match="was never awaited"):
        assert report(return_state=True).is_completed()
    assert world.relay.mails == []


def test_the_warning_of_a_try_says_when_the_next_one_is(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """A relay that is down is tried as often as the page says, each time with its words."""
    world.connect(port=closed_port())
    (quote,) = re.findall(r"`(The next try is .+?)`", _PAGE.text)
    task = send_an_email.with_options(retry_delay_seconds=[0.001] * (send_an_email.retries or 0))

    @flow
    def report() -> None:
        task("ann@example.org", "Report", "Rows.")

    with pytest.raises(ConnectionFailed):
        report()
    assert len(re.findall(pattern(quote), caplog.text)) == send_an_email.retries


def test_the_next_try_uses_the_corrected_block(world: World) -> None:
    """Whoever corrects the block while the run waits need not start it again."""
    world.connect(port=closed_port())

    def correct(*_: object) -> bool:
        SMTP.delete("main")
        world.connect()
        return True

    task = send_an_email.with_options(
        retries=1, retry_delay_seconds=0.001, retry_condition_fn=correct
    )

    @flow
    def report() -> str:
        return task("ann@example.org", "Report", "Rows.").outcome

    assert report() == "accepted"


def test_an_older_block_takes_the_mail_and_the_log_says_so(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The newer of two blocks with one priority takes no mail, in the words of the page."""
    (quote,) = re.findall(r"`(smtp/new takes no mail[^`]+)`", _PAGE.text)
    world.connect("main")
    world.connect("new")
    send()
    assert " ".join(quote.split()) in caplog.text


@pytest.mark.parametrize(("key", "copies"), [(None, 2), ("run", 1)])
def test_a_flow_that_is_retried_mails_again_unless_a_key_prevents_it(
    key: str | None, copies: int, world: World
) -> None:
    """The two copies are two calls: their Message-IDs differ, as the page says."""
    world.connect()
    attempts: list[int] = []

    @flow(retries=1)
    def report() -> None:
        send_an_email("ann@example.org", "Report", "Rows.", idempotency_key=key)
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("after the mail")

    report()
    assert len({mail.message["Message-ID"] for mail in world.relay.mails}) == copies
    assert len(world.relay.mails) == copies
