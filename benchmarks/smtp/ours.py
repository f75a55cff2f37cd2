"""This package as a contestant: the transport alone, mails composed for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from benchmarks.line import Target
from benchmarks.mails import DOMAIN, Mail, distinct_mails
from benchmarks.rounds import Turn, timed
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.smtp import Security, SmtpConfig, SmtpTransport
from prefect_smtp_relay.transports.smtp.connect.pool import Pool

_TIMEOUT_SECONDS = 60
_MAILS_TO_OPEN_A_SESSION = 2


def transport_to(target: Target) -> SmtpTransport:
    """Make a transport, with STARTTLS and the certificate checked where the target has one."""
    return SmtpTransport(
        SmtpConfig(
            target.host,
            target.port,
            security=Security.STARTTLS if target.ca_pem else Security.PLAIN_TEXT,
            verify_peer=bool(target.ca_pem),
            ca_certificate=target.ca_pem,
            helo_domain=DOMAIN,
            timeout_seconds=_TIMEOUT_SECONDS,
        )
    )


def deliver_each(transport: SmtpTransport, mails: Sequence[Mail]) -> None:
    """Build and deliver one mail after the other."""
    for mail in mails:
        transport.deliver(*mail.as_message())


@contextmanager
def one_by_one(target: Target) -> Iterator[Turn]:
    """`deliver` again and again, over the session that the pool keeps."""
    transport = transport_to(target)
    deliver_each(transport, distinct_mails(1))
    yield timed(lambda mails: deliver_each(transport, mails))
    process_memory.of(Pool).close()


def in_bulk(connections: int) -> Callable[[Target], AbstractContextManager[Turn]]:
    """`deliver_all`, over so many sessions that the pool keeps."""

    @contextmanager
    def opened(target: Target) -> Iterator[Turn]:
        transport = transport_to(target)

        def submit(mails: Sequence[Mail]) -> None:
            receipts = transport.deliver_all([mail.as_message() for mail in mails], connections)
            for receipt in receipts:
                if isinstance(receipt, EmailError):
                    raise receipt

        submit(distinct_mails(_MAILS_TO_OPEN_A_SESSION * connections))
        yield timed(submit)
        process_memory.of(Pool).close()

    return opened


@contextmanager
def first_mail(target: Target) -> Iterator[Turn]:
    """`deliver` with nothing kept; the sink lets no TLS session be resumed."""
    transport = transport_to(target)
    process_memory.of(Pool).close()
    yield timed(lambda mails: deliver_each(transport, mails))
    process_memory.of(Pool).close()
