"""What else Python and Postfix have to submit mail, as contestants."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from benchmarks.line import Target
from benchmarks.mails import DOMAIN, SENDER, Mail
from benchmarks.rounds import Turn, timed
from benchmarks.smtp.sink import find_postfix_program
from prefect_smtp_relay.mail.mime.render import render_mime

_TIMEOUT_SECONDS = 60


@contextmanager
def stdlib_session_a_mail(target: Target) -> Iterator[Turn]:
    """`smtplib` as its documentation shows it; one TLS context for all where there is TLS."""

    def submit(mails: Sequence[Mail]) -> None:
        for mail in mails:
            with _stdlib_session(target) as session:
                session.send_message(mail.as_email_message())

    yield timed(submit)


@contextmanager
def stdlib_kept(target: Target) -> Iterator[Turn]:
    """`smtplib` with one session for the turn."""
    with _stdlib_session(target) as session:

        def submit(mails: Sequence[Mail]) -> None:
            for mail in mails:
                session.send_message(mail.as_email_message())

        yield timed(submit)


def _stdlib_session(target: Target) -> smtplib.SMTP:
    session = smtplib.SMTP(
        target.host, target.port, local_hostname=DOMAIN, timeout=_TIMEOUT_SECONDS
    )
    if target.ca_pem:
        session.starttls(context=_shared_context(target.ca_pem))
    return session


@lru_cache(maxsize=1)
def _shared_context(ca_pem: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca_pem)


@contextmanager
def aiosmtplib_kept(target: Target) -> Iterator[Turn]:
    """`aiosmtplib` with one session for the turn."""
    import aiosmtplib  # only where it is installed

    session = aiosmtplib.SMTP(
        hostname=target.host,
        port=target.port,
        local_hostname=DOMAIN,
        start_tls=False,
        timeout=_TIMEOUT_SECONDS,
    )

    async def submit(mails: Sequence[Mail]) -> None:
        for mail in mails:
            await session.send_message(mail.as_email_message())

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(session.connect())
        yield timed(lambda mails: loop.run_until_complete(submit(mails)))
        loop.run_until_complete(session.quit())
    finally:
        loop.close()


@contextmanager
def prefect_email(target: Target) -> Iterator[Turn]:
    """The function of prefect-email's task, mail after mail in one event loop."""
    send = prefect_email_sender(target)

    async def submit(mails: Sequence[Mail]) -> None:
        for mail in mails:
            await send(mail)

    yield timed(lambda mails: asyncio.run(submit(mails)))


def prefect_email_sender(target: Target) -> Callable[[Mail], Coroutine[Any, Any, object]]:
    """Make what builds and submits one mail with prefect-email, by a block that is not saved."""
    # only where it is installed; it loads Prefect
    from prefect_email import EmailServerCredentials, email_send_message

    block = EmailServerCredentials(
        smtp_server=target.host, smtp_port=target.port, smtp_type="INSECURE"
    )

    async def send(mail: Mail) -> object:
        return await email_send_message.fn(
            mail.subject,
            mail.html,
            block,
            msg_plain=mail.text,
            email_from=SENDER,
            email_to=list(mail.recipients),
            attachments=[str(mail.attachment)] if mail.attachment else None,
        )

    return send


@contextmanager
def smtp_source(target: Target) -> Iterator[Turn]:
    """Postfix's generator over one session.

    It starts and connects within a turn, so the time of a run with a single mail is taken off.
    """

    def turn(mails: Sequence[Mail]) -> float:
        one = _run_smtp_source(target, mails[0], 1)
        return _run_smtp_source(target, mails[0], 1 + len(mails)) - one

    yield turn


def _run_smtp_source(target: Target, example: Mail, count: int) -> float:
    program = str(find_postfix_program("smtp-source"))
    size = render_mime(example.as_message()[0]).size
    started = time.perf_counter()
    subprocess.run(  # noqa: S603  # Postfix's own program, our arguments
        [
            *(program, "-d", "-s", "1", "-m", str(count), "-l", str(size)),
            *("-M", DOMAIN, "-f", SENDER, "-t", example.recipients[0]),
            f"inet:{target.host}:{target.port}",
        ],
        check=True,
        timeout=_TIMEOUT_SECONDS,
    )
    return time.perf_counter() - started
