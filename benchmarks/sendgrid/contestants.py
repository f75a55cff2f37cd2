"""SendGrid's own client and this package's transport, as contestants."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest import mock

import certifi
import sendgrid
from pydantic import SecretStr
from sendgrid.helpers import mail as helpers

from benchmarks.line import Target
from benchmarks.mails import SENDER, Mail, distinct_mails
from benchmarks.rounds import Contestant, Turn, timed
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.bulk import deliver_all
from prefect_smtp_relay.transports.http.connections import Connections
from prefect_smtp_relay.transports.sendgrid import SendGridConfig, SendGridTransport

_API_KEY = "SG.bench"
_TIMEOUT_SECONDS = 60


@contextmanager
def environment(target: Target) -> Iterator[None]:
    """Have all contestants trust a target's CA, besides those that a machine trusts, by one file.

    Both read SSL_CERT_FILE: theirs for each mail, ours for the first. It is certifi's bundle with
    one more: a file of that one alone would spare the stock client most of what it does.
    """
    with tempfile.TemporaryDirectory() as directory:
        bundle = Path(directory, "ca.pem")
        bundle.write_text(Path(certifi.where()).read_text("ascii") + target.ca_pem, "ascii")
        # The lower-case name is the one that wins, for both.
        with mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(bundle), "no_proxy": "*"}):
            try:
                yield
            finally:
                process_memory.of(Connections).close()


@contextmanager
def stock_client(target: Target) -> Iterator[Turn]:
    """`SendGridAPIClient.send`, one client for the turn: it connects for each mail."""
    client = sendgrid.SendGridAPIClient(_API_KEY, host=_url_of(target))

    def submit(mails: Sequence[Mail]) -> None:
        for mail in mails:
            client.send(_as_sendgrid(mail))

    yield timed(submit)


@contextmanager
def one_by_one(target: Target) -> Iterator[Turn]:
    """`deliver` again and again, over the connection that is kept."""
    transport = _transport_to(target)
    _deliver_each(transport, distinct_mails(1))
    yield timed(lambda mails: _deliver_each(transport, mails))
    process_memory.of(Connections).close()


def in_bulk(connections: int) -> Callable[[Target], AbstractContextManager[Turn]]:
    """`deliver_all`, over so many connections that are kept."""

    @contextmanager
    def opened(target: Target) -> Iterator[Turn]:
        transport = _transport_to(target)

        def submit(mails: Sequence[Mail]) -> None:
            messages = [mail.as_message() for mail in mails]
            for result in deliver_all(transport, messages, connections):
                if isinstance(result, EmailError):
                    raise result

        submit(distinct_mails(2 * connections))
        yield timed(submit)
        process_memory.of(Connections).close()

    return opened


@contextmanager
def first_mail(target: Target) -> Iterator[Turn]:
    """`deliver` with nothing kept but the TLS context."""
    transport = _transport_to(target)
    _deliver_each(transport, distinct_mails(1))
    process_memory.of(Connections).close()
    yield timed(lambda mails: _deliver_each(transport, mails))
    process_memory.of(Connections).close()


def _deliver_each(transport: SendGridTransport, mails: Sequence[Mail]) -> None:
    for mail in mails:
        transport.deliver(*mail.as_message())


def _transport_to(target: Target) -> SendGridTransport:
    return SendGridTransport(
        SendGridConfig(
            SecretStr(_API_KEY), api_url=_url_of(target), timeout_seconds=_TIMEOUT_SECONDS
        )
    )


def _url_of(target: Target) -> str:
    return f"https://{target.host}:{target.port}"


def _as_sendgrid(mail: Mail) -> helpers.Mail:
    """Build it as SendGrid's documentation shows."""
    return helpers.Mail(
        from_email=SENDER,
        to_emails=list(mail.recipients),
        subject=mail.subject,
        plain_text_content=mail.text,
        html_content=mail.html,
    )


STOCK = Contestant("sendgrid, its client", stock_client, 4, 10)
ONE_BY_ONE = Contestant("ours, deliver, kept connection", one_by_one, 20, 200)
TEN_CONNECTIONS = Contestant("ours, deliver_all, 10 connections", in_bulk(10), 200, 400)
FIRST_MAIL = Contestant("ours, first mail", first_mail, 1, 1)
