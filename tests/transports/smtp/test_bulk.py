"""Many messages in one call, over one session or several."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    EmailError,
    InternalError,
    MessageTooLarge,
    PermanentFailure,
    TransientFailure,
)
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.mime.render import MimeText, render_mime
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp import Limits, SmtpTransport
from prefect_smtp_relay.transports.smtp.delivery import submission

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

SubmitAll = Callable[..., list[Receipt | EmailError]]
HELLO = "S: 220 mx.test\nEHLO PIPELINING, SIZE 100000\n"
EVERYBODY = [f"user{number}@example.org" for number in range(50)]


def recipients(results: list[Receipt | EmailError]) -> list[str]:
    """The one recipient of each receipt; an error is raised."""
    found: list[str] = []
    for result in results:
        if isinstance(result, EmailError):
            raise result
        found += result.accepted
    return found


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("extensions", ["PIPELINING", "SIZE 0"])
def test_results_stand_in_the_order_of_the_messages(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll, connections: int, extensions: str
) -> None:
    """Each message is taken once, and its receipt stands at its place."""
    server = play(f"S: 220 mx.test\nEHLO {extensions}\nWAIT 0.02\nSERVE")
    assert recipients(submit_all(server, *EVERYBODY, connections=connections)) == EVERYBODY
    assert sorted(path for m in server.stored for path in m.forward_paths) == sorted(EVERYBODY)
    assert server.connections <= connections


def test_a_server_without_pipelining_is_served_too(
    start: Callable[..., MailServer], submit_all: SubmitAll
) -> None:
    """A real server (aiosmtpd) takes fifty mails over two sessions."""
    server = start()
    assert recipients(submit_all(server, *EVERYBODY, connections=2)) == EVERYBODY
    assert len(server.mails) == len(EVERYBODY)


def test_one_failure_is_not_that_of_the_others(
    start: Callable[..., MailServer], submit_all: SubmitAll
) -> None:
    """A refused message is an error at its place."""
    server = start(refused={EVERYBODY[1]: "550 5.1.1 no such user"})
    first, second, third = submit_all(server, *EVERYBODY[:3])
    assert recipients([first, third]) == [EVERYBODY[0], EVERYBODY[2]]
    assert isinstance(second, EmailError)


def test_a_message_that_is_too_large_is_not_offered(
    play: Callable[..., ScriptedServer],
    transport_to: Callable[..., SmtpTransport],
    make_message: Callable[..., Message],
) -> None:
    """SIZE is heeded for each message, wherever it stands."""
    large = make_message(attachments=[("dump.bin", bytes(200_000))])
    messages = [large, make_message(), large, make_message(), large]
    server = play(HELLO + "SERVE")
    results = transport_to(server).deliver_all([(m, Envelope.of(m)) for m in messages])
    assert [type(r) for r in results] == [MessageTooLarge, Receipt] * 2 + [MessageTooLarge]
    assert server.heard.count(b"MAIL FROM") == 2


@pytest.mark.parametrize("broken", [0, 2, 4], ids=["first", "middle", "last"])
@pytest.mark.parametrize("connections", [1, 2])
def test_what_nobody_foresaw_is_one_mail_s(
    start: Callable[..., MailServer],
    submit_all: SubmitAll,
    monkeypatch: pytest.MonkeyPatch,
    broken: int,
    connections: int,
) -> None:
    """A message that cannot be rendered does not keep the others from going."""

    def render(message: Message) -> MimeText:
        if message.subject == EVERYBODY[broken]:
            raise ZeroDivisionError
        return render_mime(message)

    monkeypatch.setattr(submission, "render_mime", render)
    server = start()
    results = submit_all(server, *EVERYBODY[:5], connections=connections)
    assert isinstance(results[broken], InternalError)
    others = [number for number in range(5) if number != broken]
    assert recipients([results[number] for number in others]) == [EVERYBODY[n] for n in others]
    assert len(server.mails) == 4


@pytest.mark.parametrize("extensions", ["PIPELINING", "SIZE 0"])
def test_a_result_is_reported_before_the_next_message_is_submitted(
    play: Callable[..., ScriptedServer],
    transport_to: Callable[..., SmtpTransport],
    make_message: Callable[..., Message],
    extensions: str,
) -> None:
    """What a server accepted is known, however the process ends in the message after it."""
    server = play(f"S: 220 mx.test\nEHLO {extensions}\nSERVE")
    messages = [make_message(address) for address in EVERYBODY[:4]]
    mails = iter([(message, Envelope.of(message)) for message in messages])
    stored: list[tuple[int, int]] = []

    def report(number: int, result: Receipt | EmailError) -> None:
        assert isinstance(result, Receipt)
        stored.append((number, len(server.stored)))

    transport_to(server).deliver_all(mails, 1, report)
    assert stored == [(0, 1), (1, 2), (2, 3), (3, 4)]


def test_nothing_to_do(
    transport_to: Callable[..., SmtpTransport], start: Callable[..., MailServer]
) -> None:
    """Without a message no connection is opened."""
    server = start()
    assert transport_to(server).deliver_all([], connections=5) == []
    assert server.connections == 0


def test_without_a_connection_all_have_the_same_error(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """A relay that does not serve us is asked once a session, not once a message."""
    server = play("S: 554 5.7.1 go away")
    results = submit_all(server, *EVERYBODY, connections=2)
    assert all(isinstance(r, PermanentFailure) and "go away" in str(r) for r in results)
    assert len({id(result) for result in results}) == len(EVERYBODY)
    assert server.connections <= 2


def test_a_session_less_is_no_failure(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """Where the server takes fewer connections, the others carry all messages."""
    server = play(HELLO + "WAIT 0.2\nSERVE", "S: 421 4.7.0 too many connections\nCLOSE")
    assert recipients(submit_all(server, *EVERYBODY, connections=4)) == EVERYBODY


def test_a_relay_that_ends_every_session_is_given_up(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """After three new sessions in a row that took nothing, the rest is not tried one by one."""
    server = play(f"{HELLO}C: MAIL\nCLOSE")
    results = submit_all(server, *EVERYBODY)
    assert {type(result) for result in results} == {ConnectionFailed}
    assert server.connections == 3


def test_a_busy_relay_stops_between_two_messages(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """421 in the middle of many messages costs none of them."""
    server = play(f"{HELLO}SERVE 3\nC: MAIL\nS: 421 4.3.2 restarting\nCLOSE", HELLO + "SERVE")
    assert recipients(submit_all(server, *EVERYBODY[:8])) == EVERYBODY[:8]
    assert len(server.stored) == 8


def test_every_message_meets_its_own_421(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """A server that always answers the dot with 421 is told as transient, message by message."""
    server = play(
        f"{HELLO}C: MAIL\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\nS: 354 go\nBODY\nS: 421 no\nCLOSE"
    )
    results = submit_all(server, *EVERYBODY[:2])
    assert {type(result) for result in results} == {TransientFailure}
    assert server.stored == []


def test_a_busy_moment_between_two_sessions_is_waited_out(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """A relay that has served and answers the next session with 421 is asked once more."""
    limits = Limits(transactions=2, pauses_seconds=(0.05,))
    server = play(HELLO + "SERVE", "S: 421 4.7.0 too many connections\nCLOSE", HELLO + "SERVE")
    assert recipients(submit_all(server, *EVERYBODY[:4], limits=limits)) == EVERYBODY[:4]


def test_each_message_has_its_own_time(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """Many mails over one session may take longer in all than one of them."""
    limits = Limits(timeouts_per_delivery=0)  # leaves a second for the recipient
    server = play("S: 220 mx.test\nEHLO SIZE 0\nREPEAT\nWAIT 0.3\nSERVE 1\nEND")
    assert recipients(submit_all(server, *EVERYBODY[:4], limits=limits)) == EVERYBODY[:4]
    assert server.connections == 1


class _Cancelled(BaseException):
    """What a task's timeout raises in the thread that runs the task."""


def test_what_waits_is_not_submitted_after_an_interruption(
    play: Callable[..., ScriptedServer], submit_all: SubmitAll
) -> None:
    """Threads end with the messages that are under way, and the interruption is seen."""
    server = play("S: 220 mx.test\nEHLO SIZE 0\nREPEAT\nSERVE 1\nWAIT 0.05\nEND")
    raised: list[BaseException] = []

    def submit() -> None:
        try:
            submit_all(server, *EVERYBODY, connections=2)
        except _Cancelled as error:
            raised.append(error)

    thread = threading.Thread(target=submit)
    thread.start()
    while not server.stored:
        time.sleep(0.01)
    interrupt = ctypes.pythonapi.PyThreadState_SetAsyncExc
    assert interrupt(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Cancelled)) == 1
    thread.join(20)
    assert len(raised) == 1
    assert len(server.stored) < len(EVERYBODY)
