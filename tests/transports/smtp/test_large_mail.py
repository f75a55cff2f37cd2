"""A large mail is read, encoded and written in blocks."""

from __future__ import annotations

import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from prefect_smtp_relay.mail.attachments.attachment import Attachment
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.transports.smtp import Security, SmtpConfig, SmtpTransport

MEGABYTE = 1_000_000


@contextmanager
def sink() -> Iterator[SmtpConfig]:
    """Run a server that takes one mail and keeps none of its octets."""
    listening = socket.create_server(("127.0.0.1", 0))

    def take() -> None:
        client, _ = listening.accept()
        with client, client.makefile("rb") as lines:
            client.sendall(b"220 sink.test\r\n")
            in_data = False
            for line in lines:
                if in_data and line != b".\r\n":
                    continue
                in_data = line == b"DATA\r\n"
                client.sendall(b"354 go on\r\n" if in_data else b"250 2.0.0 ok\r\n")

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    host, port = listening.getsockname()
    yield SmtpConfig(host, port, Security.PLAIN_TEXT)
    listening.close()


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """A file of 25 MB."""
    path = tmp_path / "dump.bin"
    with path.open("wb") as file:
        file.truncate(25 * MEGABYTE)
    return path


def test_an_attachment_does_not_cost_its_size(
    make_message: Callable[..., Message], large_file: Path
) -> None:
    """25 MB from a file raise the peak of memory by less than 2 MB."""
    message = make_message(attachments=[large_file])
    with sink() as config:
        tracemalloc.start()
        receipt = SmtpTransport(config).deliver(message, Envelope.of(message))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert receipt.size > 33 * MEGABYTE
    assert peak < 2 * MEGABYTE


def test_a_file_is_encoded_once_for_many_recipients(
    make_message: Callable[..., Message], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred recipients share one transaction, and one reading of the file."""
    path = tmp_path / "graph.png"
    path.write_bytes(b"png")
    readings: list[Path | bytes] = []
    read = Attachment.chunks

    def count(attachment: Attachment) -> Iterator[bytes]:
        readings.append(attachment.source)
        return read(attachment)

    monkeypatch.setattr(Attachment, "chunks", count)
    message = make_message([f"user{n}@example.org" for n in range(100)], attachments=[path])
    with sink() as config:
        receipt = SmtpTransport(config).deliver(message, Envelope.of(message))
    assert len(receipt.accepted) == 100
    assert readings == [path]
