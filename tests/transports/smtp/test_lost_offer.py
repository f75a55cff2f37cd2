"""A server that no longer offers STARTTLS is suspicious: somebody may have removed the offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.smtp import Security
from prefect_smtp_relay.transports.smtp.connect.pool import Pool

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

WITH = "S: 220 mx.test\nEHLO STARTTLS\nC: STARTTLS\nS: 220 go\nTLS\nEHLO SIZE 0\nSERVE"
WITHOUT = "S: 220 mx.test\nEHLO SIZE 0\nSERVE"
LOST = "no longer offers STARTTLS, which it offered before"


@pytest.mark.parametrize(
    ("scripts", "is_told"),
    [((WITH, WITHOUT), True), ((WITH, WITH), False), ((WITHOUT, WITHOUT), False)],
    ids=["lost", "kept", "never"],
)
def test_an_offer_that_is_gone_is_a_warning(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    caplog: pytest.LogCaptureFixture,
    logged: Callable[[], list[str]],
    scripts: tuple[str, ...],
    is_told: bool,
) -> None:
    """The mail goes all the same, as "STARTTLS if offered" says, and the log names the switch."""
    server = play(*scripts)
    for _ in scripts:
        submit(server, security=Security.STARTTLS_IF_OFFERED)
        process_memory.of(Pool).close()
    told = [line for line in logged() if LOST in line]
    assert bool(told) is is_told
    assert all("*Force STARTTLS* (`enable_starttls`)" in line for line in told)
    assert [r.levelname for r in caplog.records if LOST in r.getMessage()] == ["WARNING"] * is_told
    assert len(server.stored) == 2
