"""Every implementation of `Transport`, with what the contract needs to look at it from outside."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

from pydantic import SecretStr

from prefect_smtp_relay.exceptions import ConnectionFailed
from prefect_smtp_relay.mail.receipt import Outcome
from prefect_smtp_relay.spool import open_spool
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.testing.memory import InMemoryTransport
from prefect_smtp_relay.transports.base import Transport
from prefect_smtp_relay.transports.outbox import Outbox
from prefect_smtp_relay.transports.recording import RecordingTransport
from prefect_smtp_relay.transports.sendgrid import SendGridConfig, SendGridTransport
from prefect_smtp_relay.transports.smtp import Credentials, SmtpConfig, SmtpTransport

from .sendgrid.api_server import reply, serve

SECRET = "canary-secret"


@dataclass(frozen=True)
class Subject:
    """One implementation under the contract.

    Args:
        transport: what is tested.
        outcome: what its receipts say.
        arrived: the Message-IDs at the other end, once for each arrival.
        break_down: makes every further delivery fail.
    """

    transport: Transport
    outcome: Outcome
    arrived: Callable[[], list[str]]
    break_down: Callable[[], object]


@contextlib.contextmanager
def smtp(_: Path, certificates: Certificates) -> Iterator[Subject]:
    """SMTP with the block's defaults, against a server with STARTTLS and an account."""
    server = MailServer("starttls", certificates.server_context, users={"flows": SECRET})
    with contextlib.ExitStack() as running:
        running.enter_context(server)
        config = SmtpConfig(
            "localhost",
            server.port,
            verify_peer=True,
            ca_certificate=certificates.ca_pem,
            credentials=Credentials(SecretStr("flows"), SecretStr(SECRET)),
        )
        yield Subject(
            SmtpTransport(config),
            "accepted",
            lambda: [mail.message["Message-ID"] for mail in server.mails],
            running.close,
        )


@contextlib.contextmanager
def sendgrid(_: Path, __: Certificates) -> Iterator[Subject]:
    """SendGrid, against a local HTTP server."""
    with serve() as api:
        config = SendGridConfig(SecretStr(SECRET), api_url=api.url)
        yield Subject(
            SendGridTransport(config),
            "accepted",
            lambda: [request.payload["headers"]["Message-ID"] for request in api.requests],
            lambda: api.answers.extend([reply(500)] * 10),
        )


@contextlib.contextmanager
def outbox(directory: Path, _: Certificates) -> Iterator[Subject]:
    """The outbox, in a directory that can turn into a file."""
    store = Outbox(open_spool(str(directory / "spool")))
    yield Subject(
        store,
        "stored",
        lambda: [mail.message_id for mail in store.entries()],
        lambda: (directory / "spool").write_text("no directory"),
    )


@contextlib.contextmanager
def memory(_: Path, __: Certificates) -> Iterator[Subject]:
    """The transport for users' own tests."""
    transport = InMemoryTransport()
    failure = ConnectionFailed(transport.name, "as the test wants it.", stage="connect")
    yield Subject(
        transport,
        "accepted",
        lambda: [delivery.message.message_id for delivery in transport.deliveries],
        lambda: setattr(transport, "failure", failure),
    )


@contextlib.contextmanager
def recording(directory: Path, _: Certificates) -> Iterator[Subject]:
    """Files to look at, in a directory that can turn into a file."""
    folder = directory / "mails"
    yield Subject(
        RecordingTransport(folder),
        "stored",
        lambda: [message_from_bytes(f.read_bytes())["Message-ID"] for f in folder.glob("*.eml")],
        lambda: folder.write_text("no directory"),
    )


SUBJECTS = {
    "smtp": smtp,
    "sendgrid": sendgrid,
    "outbox": outbox,
    "memory": memory,
    "recording": recording,
}
