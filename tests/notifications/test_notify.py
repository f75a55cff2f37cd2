"""``notify`` of the "Notification by Email" block, in scripts and in flows, sync and async."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import anyio.to_thread
import pytest
from prefect import flow, task
from prefect.blocks.abstract import NotificationError

from prefect_smtp_relay import SMTP, SendAnEmail
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.clock import FastClock

BODY = "first line\nsecond **line**\n\nnext"


@pytest.fixture
def block(mail_server: MailServer) -> SendAnEmail:
    """A block that writes to Ann, through a connected server."""
    connect(mail_server, "mx")
    return SendAnEmail(to="ann@example.org", subject_prefix="[x]")


@pytest.fixture
def no_pauses(fast_clock: FastClock) -> None:
    """Try again at once."""
    del fast_clock


def connect(server: MailServer, name: str, from_address: str = "ops@example.org") -> None:
    """Save an SMTP block for the running server."""
    relay = SMTP(address=server.host, port=server.port, ssl=False, from_address=from_address)
    relay.save(name)


def plain_text(server: MailServer) -> list[str]:
    """The lines of the one mail that arrived."""
    (mail,) = server.mails
    part = mail.message.get_body(("plain",))
    assert part is not None
    content: str = part.get_content()
    return content.splitlines()


def html(server: MailServer) -> str:
    """The HTML of the one mail that arrived."""
    (mail,) = server.mails
    part = mail.message.get_body(("html",))
    assert part is not None
    content: str = part.get_content()
    return content


def test_a_script_notifies(block: SendAnEmail, mail_server: MailServer) -> None:
    """In sync code ``notify`` sends at once; the body is plain text that keeps its lines."""
    assert block.notify(BODY, "Import") is None
    *lines, separator, why, _ = plain_text(mail_server)
    assert lines == ["first line", "second **line**", "", "next", ""]
    assert separator == "-- "
    assert why.startswith("You get this mail from Prefect because you are named as a recipient.")
    (mail,) = mail_server.mails
    assert mail.message["Subject"] == "[x] Import"
    assert "first line<br>" in html(mail_server)
    assert "second **line**" in html(mail_server)


def test_an_empty_body_loses_no_notification(block: SendAnEmail, mail_server: MailServer) -> None:
    """A template may become empty, as that of a state without a message: the subject is told."""
    block.notify(" \n", "Import failed")
    assert plain_text(mail_server)[0] == "[x] Import failed"


def test_a_body_of_a_state_message_is_shown_as_it_is(
    block: SendAnEmail, mail_server: MailServer
) -> None:
    """Nothing is markup, but code between backticks is code and addresses are links."""
    block.notify("Loader.__init__() x[0](y)\n  - `a_b_c`, see https://example.org/a_b(c).\n# <b>")
    shown = html(mail_server)
    assert "Loader.__init__() x[0](y)<br>" in shown
    assert '<a href="https://example.org/a_b(c)"' in shown
    assert "a_b_c</code>" in shown
    assert "# &lt;b&gt;" in shown
    assert "<h1" not in shown
    assert "<li" not in shown


def test_a_body_is_markdown_where_the_block_says_so(
    block: SendAnEmail, mail_server: MailServer
) -> None:
    """The switch *Markdown* reads the body as Markdown that keeps its lines."""
    block.markdown = True
    block.notify(BODY)
    assert "<strong>line</strong>" in html(mail_server)
    assert "first line<br>" in html(mail_server)


@pytest.mark.parametrize("markdown", [False, True])
def test_a_notification_shows_no_password(
    markdown: bool, block: SendAnEmail, mail_server: MailServer
) -> None:
    """What looks like a secret in body or subject is masked: both come from state messages."""
    block.markdown = markdown
    block.notify("db://user:s3cret/7c1f@host is down", "db://user:s3cret/7c1f@host")
    (mail,) = mail_server.mails
    assert mail.message["Subject"] == "[x] db://user:********@host"
    assert b"s3cret" not in mail.octets


def test_async_code_awaits(block: SendAnEmail, mail_server: MailServer) -> None:
    """In async code ``notify`` returns a coroutine, as with all of Prefect's blocks."""

    async def script() -> None:
        await block.notify(BODY)
        await block.anotify(BODY)

    asyncio.run(script())
    subjects = [mail.message["Subject"] for mail in mail_server.mails]
    assert subjects == ["[x] Prefect notification"] * 2


def _in_a_sync_flow(notify: Callable[[], object]) -> None:
    @flow
    def run() -> None:
        assert notify() is None

    run()


def _in_a_sync_task_of_an_async_flow(notify: Callable[[], object]) -> None:
    @task
    def step() -> None:
        assert notify() is None

    @flow
    async def run() -> None:
        step()

    asyncio.run(run())


def _in_a_sync_flow_of_an_async_flow(notify: Callable[[], object]) -> None:
    @flow
    def inner() -> None:
        assert notify() is None

    @flow
    async def run() -> None:
        inner()

    asyncio.run(run())


def _in_a_thread_of_an_async_flow(notify: Callable[[], object]) -> None:
    @flow
    async def run() -> None:
        assert await anyio.to_thread.run_sync(notify) is None

    asyncio.run(run())


@pytest.mark.parametrize(
    "run",
    [
        _in_a_sync_flow,
        _in_a_sync_task_of_an_async_flow,
        _in_a_sync_flow_of_an_async_flow,
        _in_a_thread_of_an_async_flow,
    ],
)
def test_where_nobody_can_await_the_mail_goes_at_once(
    run: Callable[[Callable[[], object]], None], block: SendAnEmail, mail_server: MailServer
) -> None:
    """A sync function sends by ``notify``, whatever loop is around it."""
    run(lambda: block.notify("b"))
    assert len(mail_server.mails) == 1


def test_an_async_flow_awaits(block: SendAnEmail, mail_server: MailServer) -> None:
    """In an async flow ``notify`` is awaited."""

    @flow
    async def run() -> None:
        await block.notify("b")

    asyncio.run(run())
    assert len(mail_server.mails) == 1


def test_the_fields_reach_the_mail(mail_server: MailServer, outbox_path: Path) -> None:
    """Every field does what it says, also after saving and loading."""
    connect(mail_server, "a-preferred")
    connect(mail_server, "other", from_address="other@example.org")
    SendAnEmail(
        to="Ann <ann@example.org>, bob@example.org",
        cc="carl@example.org",
        bcc="boss@example.org",
        reply_to="desk@example.org",
        relay="smtp/other",
    ).save("on-call", overwrite=True)
    block = SendAnEmail.load("on-call")
    assert isinstance(block, SendAnEmail)
    block.notify("b", "s")
    (mail,) = mail_server.mails
    people = ("ann", "bob", "carl", "boss")
    assert mail.forward_paths == tuple(f"{name}@example.org" for name in people)
    assert mail.message["From"] == "other@example.org"
    assert mail.message["To"] == "Ann <ann@example.org>, bob@example.org"
    assert mail.message["Cc"] == "carl@example.org"
    assert mail.message["Reply-To"] == "desk@example.org"
    assert mail.message["Bcc"] is None
    assert not outbox_path.exists()


def test_the_from_address_of_the_block_wins(mail_server: MailServer) -> None:
    """The block's own sender goes before the relay's."""
    connect(mail_server, "mx")
    SendAnEmail(to="ann@example.org", from_address="Prefect <prefect@example.org>").notify("b")
    assert mail_server.mails[0].message["From"] == "Prefect <prefect@example.org>"


def test_a_rendered_subject_cannot_add_a_header(
    block: SendAnEmail, mail_server: MailServer
) -> None:
    """What a template put on several lines arrives in one, and is no header."""
    block.notify("b", "Import\r\nBcc: eve@example.org\n\x00 failed")
    (mail,) = mail_server.mails
    assert mail.message["Subject"] == "[x] Import Bcc: eve@example.org failed"
    assert mail.forward_paths == ("ann@example.org",)


def test_mail_is_stored_where_nothing_is_connected(outbox_path: Path) -> None:
    """Default delivery is no failure of the notification."""
    block = SendAnEmail(to="ann@example.org")
    with block.raise_on_failure():
        block.notify("b")
    assert len(list(outbox_path.glob("*.eml"))) == 1


@pytest.mark.usefixtures("no_pauses")
def test_a_transient_failure_is_tried_again(block: SendAnEmail, mail_server: MailServer) -> None:
    """A mail that is taken at the third try is no failure, and has one Message-ID."""
    replies = iter(["451 4.3.0 later", "451 4.3.0 later"])
    seen: list[str] = []

    def reply(message_id: str) -> str | None:
        seen.append(message_id)
        return next(replies, None)

    mail_server.data_reply = reply
    with block.raise_on_failure():
        block.notify("b")
    assert len(mail_server.mails) == 1
    assert len(seen) == 3
    assert len(set(seen)) == 1


@pytest.mark.usefixtures("no_pauses")
def test_after_the_last_try_the_mail_is_kept_and_the_reason_told(
    block: SendAnEmail, mail_server: MailServer, outbox_path: Path
) -> None:
    """The error quotes the relay, and says where the mail is."""
    mail_server.refused["DATA"] = "451 4.3.0 later"
    with block.raise_on_failure(), pytest.raises(NotificationError) as raised:
        block.notify("b")
    (stored,) = outbox_path.glob("*.eml")
    assert "451" in raised.value.log
    assert str(stored) in raised.value.log


@pytest.mark.parametrize("is_async", [False, True])
def test_a_failure_is_only_logged_unless_it_shall_raise(
    is_async: bool,
    block: SendAnEmail,
    mail_server: MailServer,
    outbox_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As with all of Prefect's notification blocks a failing mail does not stop its caller."""
    mail_server.refused["DATA"] = "554 5.6.0 not this"
    if is_async:
        asyncio.run(block.anotify("b"))
    else:
        block.notify("b")
    assert "The notification failed" in caplog.text
    assert "not this" in caplog.text
    assert len(list(outbox_path.glob("*.eml"))) == 1


def test_a_protected_sender_is_refused_and_not_kept(
    mail_server: MailServer, outbox_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rules for senders hold for notifications too."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_PROTECTED_DOMAINS", "corp.example")
    connect(mail_server, "mx")
    block = SendAnEmail(to="ann@example.org", from_address="ceo@mail.corp.example")
    with block.raise_on_failure(), pytest.raises(NotificationError) as raised:
        block.notify("b")
    assert "protected domain mail.corp.example" in raised.value.log
    assert not list(outbox_path.glob("*.eml"))


def test_an_unknown_relay_fails_with_those_that_exist(mail_server: MailServer) -> None:
    """The error lists the connected relays; the mail is kept."""
    connect(mail_server, "mx")
    block = SendAnEmail(to="ann@example.org", relay="smtp/gone")
    with block.raise_on_failure(), pytest.raises(NotificationError) as raised:
        block.notify("b")
    assert "'smtp/gone'. Connected relays: smtp/mx." in raised.value.log


def test_a_password_file_that_is_not_mounted_where_the_block_runs(outbox_path: Path) -> None:
    """The process that notifies, such as the server, reads it: the error names the path."""
    relay = SMTP(address="mx.example", username="ann", password_file="/run/secrets/smtp_absent")
    relay.save("mx")
    block = SendAnEmail(to="ann@example.org", from_address="ops@example.org")
    with block.raise_on_failure(), pytest.raises(NotificationError) as raised:
        block.notify("b")
    assert "/run/secrets/smtp_absent does not exist on this host. Mount" in raised.value.log
    assert len(list(outbox_path.glob("*.eml"))) == 1
