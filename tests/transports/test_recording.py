"""The transport that writes mail into files to look at."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.transports.recording import RecordingTransport

MakeMessage = Callable[..., Message]


@pytest.fixture(params=[0o022, 0o000, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Set a umask that permits too much or too little."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def _deliver(folder: Path, message: Message) -> None:
    RecordingTransport(folder).deliver(message, Envelope.of(message))


def test_three_files_a_message(tmp_path: Path, make_message: MakeMessage) -> None:
    """They sort by time, begin with the subject, and hold the mail, its HTML and its text."""
    message = make_message("ann@example.org")
    _deliver(tmp_path / "mails", message)
    files = {file.suffix: file for file in (tmp_path / "mails").iterdir()}
    assert set(files) == {".eml", ".html", ".txt"}
    [stem] = {file.stem for file in files.values()}
    date = message.date.astimezone(UTC)
    assert datetime.strptime(f"{stem[:15]}Z", "%Y%m%dT%H%M%S%z") == date
    assert files[".txt"].read_text("utf-8") == f"{message.text}\n"
    assert files[".html"].read_text("utf-8") == message.html
    assert message.message_id.encode() in files[".eml"].read_bytes()


@pytest.mark.parametrize(
    ("subject", "part"),
    [("../../etc/passwd", "-etc-passwd-"), ("\u00dcber\u202e.exe", "-ber-exe-"), ("", "-mail-")],
)
def test_no_file_name_comes_from_outside(
    tmp_path: Path, make_message: MakeMessage, subject: str, part: str
) -> None:
    """Of a subject, only ASCII letters and digits are in the name."""
    _deliver(tmp_path / "mails", make_message("ann@example.org", subject=subject))
    assert all(part in file.name for file in (tmp_path / "mails").iterdir())
    assert [file.name for file in tmp_path.iterdir()] == ["mails"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no permission bits")
@pytest.mark.usefixtures("umask")
def test_nobody_else_may_read_them(tmp_path: Path, make_message: MakeMessage) -> None:
    """The directory is 0700 and each file 0600, whatever the umask."""
    _deliver(tmp_path / "mails", make_message("ann@example.org"))
    assert stat.S_IMODE((tmp_path / "mails").stat().st_mode) == 0o700
    files = (tmp_path / "mails").iterdir()
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
