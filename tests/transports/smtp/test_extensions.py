"""How a server's offer of extensions is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.transports.check_report import Report
from prefect_smtp_relay.transports.smtp import Credentials, Security
from prefect_smtp_relay.transports.smtp.reply import Reply
from prefect_smtp_relay.transports.smtp.session.ehlo import read_extensions

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

OFFERS = [
    pytest.param(["AUTH PLAIN LOGIN"], "PLAIN LOGIN", id="rfc-4954"),
    pytest.param(["AUTH=PLAIN LOGIN"], "PLAIN LOGIN", id="old"),
    pytest.param(["auth=PLAIN LOGIN"], "PLAIN LOGIN", id="old-in-lower-case"),
    pytest.param(["AUTH = PLAIN LOGIN"], "PLAIN LOGIN", id="old-with-spaces"),
    pytest.param(["AUTH PLAIN", "AUTH LOGIN"], "PLAIN LOGIN", id="two-lines"),
    pytest.param(["AUTH PLAIN LOGIN", "AUTH=PLAIN LOGIN"], "PLAIN LOGIN", id="both"),
    pytest.param(["AUTH=LOGIN", "AUTH PLAIN"], "LOGIN PLAIN", id="old-first"),
    pytest.param(["AUTH\tPLAIN\tLOGIN"], "PLAIN LOGIN", id="tabs"),
    pytest.param(["AUTH  PLAIN   LOGIN "], "PLAIN LOGIN", id="many-spaces"),
    pytest.param(["AUTH"], "", id="none"),
]


@pytest.mark.parametrize(("lines", "offered"), OFFERS)
def test_the_offer_of_mechanisms(lines: list[str], offered: str) -> None:
    """However a server writes it, each mechanism is offered once."""
    assert read_extensions(Reply(250, ("mx", *lines, "8BITMIME")))["AUTH"] == offered


def test_the_other_extensions() -> None:
    """Keywords are upper case, an empty line is none, and the greeting's is not one."""
    reply = Reply(250, ("mx.test AUTH", "size\t1000", "", "8bitmime"))
    assert read_extensions(reply) == {"SIZE": "1000", "": "", "8BITMIME": ""}


@pytest.mark.parametrize(
    "offer", ["S: 250 AUTH=LOGIN PLAIN", "S: 250-AUTH LOGIN\nS: 250 AUTH PLAIN"], ids=["old", "two"]
)
def test_a_login_by_such_an_offer(
    play: Callable[..., ScriptedServer],
    check: Callable[..., Report],
    account: Callable[..., Credentials],
    offer: str,
) -> None:
    """The mechanism counts as offered."""
    greets = f"S: 220 mx\nC: EHLO\nS: 250-mx\n{offer}\n"
    server = play(f"{greets}C: AUTH PLAIN\nS: 235 welcome\nC: QUIT\nS: 221 bye")
    settings = {"security": Security.PLAIN_TEXT, "credentials": account("ann", "pass")}
    report = check(server, sender=None, **settings)
    assert report.step("AUTH mechanisms").detail == "LOGIN, PLAIN"
    assert report.has_passed
