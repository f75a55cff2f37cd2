"""What lies on the disk, for whose eyes, and what becomes of disk errors."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import (
    AttachmentError,
    EmailError,
    RelayConfigurationError,
    TransientFailure,
)
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.transports.outbox import Outbox

from .opening import outbox_in

NewMessage = Callable[..., Message]
Store = Callable[..., Message]

posix_only = pytest.mark.skipif(os.name != "posix", reason="Windows has no permission bits")


@pytest.fixture
def no_umask() -> Iterator[None]:
    """Take away the protection that a usual umask gives."""
    before = os.umask(0)
    yield
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_no_file_name_comes_from_a_message(
    outbox: Outbox, directory: Path, new_message: NewMessage
) -> None:
    """A Message-ID that looks like a path leads nowhere."""
    message = replace(new_message(), message_id="<../../../../etc/x@example.org>")
    outbox.keep(message, Envelope.of(message), "no relay")
    names = sorted(file.name for file in directory.iterdir())
    (mail,) = outbox.entries()
    assert names == [f"{mail.id}.eml", f"{mail.id}.json"]
    assert mail.id.isalnum()


@posix_only
@pytest.mark.usefixtures("no_umask")
def test_nobody_else_may_read_the_outbox(
    directory: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The directory is 0700 and every file 0600 from its creation, whatever the umask."""
    created: list[int] = []
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        created.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    store()
    assert created == [0o600, 0o700] * 2
    assert _mode(directory) == 0o700
    assert {_mode(file) for file in directory.iterdir()} == {0o600}


def test_a_file_that_vanished_leaves_no_entry(
    outbox: Outbox, directory: Path, new_message: NewMessage, tmp_path: Path
) -> None:
    """An attachment that cannot be read any more is the caller's error, and nothing is stored."""
    file = tmp_path / "report.pdf"
    file.write_bytes(b"x" * 100_000)
    message = new_message(attachments=[file])
    file.unlink()
    with pytest.raises(AttachmentError):
        outbox.keep(message, Envelope.of(message), "no relay")
    assert not directory.exists()


def test_a_failed_retry_leaves_the_older_entry(
    outbox: Outbox, store: Store, new_message: NewMessage, tmp_path: Path
) -> None:
    """A message that is stored already survives a second try that fails."""
    stored = store()
    file = tmp_path / "report.pdf"
    file.write_bytes(b"x")
    message = new_message(attachments=[file])
    file.unlink()
    with pytest.raises(AttachmentError):
        outbox.keep(message, Envelope.of(message), "no relay")
    assert outbox.read(outbox.entries()[0])[0] == stored


def test_a_file_in_the_place_of_the_directory_is_a_wrong_setting(
    outbox: Outbox, directory: Path, new_message: NewMessage
) -> None:
    """The error names the setting spool."""
    directory.parent.mkdir()
    directory.write_text("not a directory")
    message = new_message()
    for act in (lambda: outbox.deliver(message, Envelope.of(message)), outbox.entries):
        with pytest.raises(RelayConfigurationError, match="spool"):
            act()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ENOSPC", TransientFailure),
        ("EDQUOT", TransientFailure),
        ("EIO", TransientFailure),
        ("EACCES", RelayConfigurationError),
        ("EPERM", RelayConfigurationError),
        ("EROFS", RelayConfigurationError),
    ],
)
def test_every_disk_error_becomes_one_of_ours(
    outbox: Outbox,
    directory: Path,
    new_message: NewMessage,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    expected: type[EmailError],
) -> None:
    """A full or failing disk may pass; wrong permissions need somebody; neither leaves a file."""

    def fsync(_: int) -> None:
        number = getattr(errno, code, errno.EIO)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    message = new_message()
    with pytest.raises(expected, match="spool") as raised:
        outbox.deliver(message, Envelope.of(message))
    assert getattr(raised.value, "stage", "store") == "store"
    assert isinstance(raised.value.__cause__, OSError)
    assert list(directory.iterdir()) == []


@posix_only
@pytest.mark.parametrize("suffix", [".eml", ".json"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_what_others_may_open_is_not_submitted(
    outbox: Outbox, directory: Path, store: Store, relay: Any, suffix: str, mode: int
) -> None:
    """A file that others may have read or written stays, with what to do."""
    store()
    [file] = directory.glob(f"*{suffix}")
    file.chmod(mode)
    report = outbox.flush(relay)
    assert (report.accepted, report.remaining, relay.taken) == ([], 1, [])
    assert "others may open it. Look at it first" in report.failed[0][1]
    assert len(outbox_in(directory, accepts_any=True).flush(relay).accepted) == 1


@posix_only
@pytest.mark.skipif(
    os.name == "posix" and os.geteuid() != 0, reason="only root can give files away"
)
@pytest.mark.parametrize("suffix", [".eml", ".json"])
def test_what_another_user_stored_is_not_submitted(
    outbox: Outbox, directory: Path, store: Store, relay: Any, suffix: str
) -> None:
    """Mail of another user would go out in our name."""
    store()
    [file] = directory.glob(f"*{suffix}")
    os.chown(file, 4242, -1)
    report = outbox.flush(relay)
    assert (report.accepted, report.remaining, relay.taken) == ([], 1, [])
    assert "belongs to another user" in report.failed[0][1]


@posix_only
@pytest.mark.parametrize("suffix", [".eml", ".json"])
def test_a_pipe_is_not_waited_for(
    outbox: Outbox, directory: Path, store: Store, relay: Any, suffix: str
) -> None:
    """It could hold up a flush without end."""
    store()
    [file] = directory.glob(f"*{suffix}")
    file.unlink()
    os.mkfifo(file, 0o600)
    report = outbox.flush(relay)
    assert (report.accepted, report.remaining, relay.taken) == ([], 1, [])


@posix_only
def test_a_link_is_not_followed(
    outbox: Outbox, directory: Path, store: Store, relay: Any, tmp_path: Path
) -> None:
    """It could lead to any file that this user may read."""
    store()
    [file] = directory.glob("*.eml")
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    report = outbox.flush(relay)
    assert (report.accepted, report.remaining, relay.taken) == ([], 1, [])


@posix_only
@pytest.mark.parametrize("umask", [0o000, 0o077, 0o277, 0o777])
def test_the_modes_hold_under_any_umask(
    outbox: Outbox, directory: Path, store: Store, relay: Any, umask: int
) -> None:
    """One that takes the owner's own rights away would leave mail that nobody can read."""
    directory.parent.mkdir()
    before = os.umask(umask)
    try:
        store()
    finally:
        os.umask(before)
    assert _mode(directory) == 0o700
    assert {_mode(file) for file in directory.iterdir()} == {0o600}
    assert len(outbox.flush(relay).accepted) == 1
