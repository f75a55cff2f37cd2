"""A directory of files: the one place that touches the disk, and translates its errors."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from prefect_smtp_relay.exceptions import EmailError, RelayConfigurationError, TransientFailure

_NOT_WRITABLE = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR),
        *(errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT),
    }
)


class PrivateDirectory:
    """A directory for its owner only (0700), whose files (0600) are whole or absent.

    Every method raises `RelayConfigurationError` where the path or its permissions are wrong,
    `TransientFailure` where the disk is full or failing, and no OSError.

    Args:
        path: created, with its parents, when the first file is written.
        transport: the loggable name of the transport, for its errors.
        setting: what names the directory, for the same.
        only_own: read only files of this user that nobody else can read or write.
    """

    def __init__(self, path: Path, transport: str, setting: str, *, only_own: bool = False) -> None:
        self.path = path
        self._only_own = only_own
        self._transport = transport
        self._setting = setting

    def write(self, files: Mapping[str, Iterable[bytes]]) -> None:
        """Write files, all of them whole, before the first is put in place.

        Args:
            files: name to bytes; put in place in this order, over older ones of that name.

        Raises:
            EmailError: also what reading the bytes raises; then nothing was put in place.
        """
        with self._translated(), ExitStack() as leftovers:
            self._make()
            staged = {}
            for name, chunks in files.items():
                staged[name] = self.path / f".{secrets.token_hex(8)}.tmp"
                leftovers.callback(_forget, staged[name])
                _write_through(staged[name], chunks)
            for name, temporary in staged.items():
                temporary.replace(self.path / name)
            self._write_names_through()

    def _make(self) -> None:
        if self.path.is_dir():
            return
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)  # whatever the umask left of it

    def names(self) -> list[str]:
        """Names of all files; none where the directory does not exist yet."""
        with self._translated(), suppress(FileNotFoundError):
            return [file.name for file in self.path.iterdir()]
        return []

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a file, or None where there is none.

        Raises:
            RelayConfigurationError: it may be somebody else's.
        """
        with (
            self._translated(),
            suppress(FileNotFoundError),
            open(self.path / name, "rb", opener=_without_links) as file,
        ):
            if self._only_own:
                self._check_own(name, os.fstat(file.fileno()))
            return file.read()
        return None

    def _check_own(self, name: str, status: os.stat_result) -> None:
        if sys.platform == "win32" or self._is_own(status):
            return
        raise RelayConfigurationError(
            f"{self.path / name} belongs to another user, or others may open it",
            f"Look at it first. Then run chown {os.geteuid()} and chmod 600 on it, or flush once"
            " with outbox_accepts=any.",
            field=self._setting,
        )

    @staticmethod
    def _is_own(status: os.stat_result) -> bool:
        is_file = stat.S_ISREG(status.st_mode)
        return is_file and status.st_uid == os.geteuid() and not status.st_mode & 0o077

    def modified(self, name: str) -> float | None:
        """Return a file's modification time in seconds of the epoch, or None."""
        with self._translated(), suppress(FileNotFoundError):
            return (self.path / name).stat().st_mtime
        return None

    def touch(self, name: str) -> bool:
        """Set a file's modification time to now; whether there is one."""
        with self._translated(), suppress(FileNotFoundError):
            os.utime(self.path / name)
            return True
        return False

    def rename(self, old: str, new: str) -> bool:
        """Rename a file atomically; whether it was there: of two renamers one wins."""
        with self._translated(), suppress(FileNotFoundError):
            (self.path / old).replace(self.path / new)
            return True
        return False

    def remove(self, name: str) -> bool:
        """Remove a file; whether it was there."""
        with self._translated(), suppress(FileNotFoundError):
            (self.path / name).unlink()
            return True
        return False

    def _write_names_through(self) -> None:
        """Bring the names to the disk too, where the platform and the file system can."""
        if sys.platform == "win32":
            return
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            # Some network file systems know no fsync of a directory; the files are in place.
            if error.errno != errno.EINVAL:
                raise
        finally:
            os.close(descriptor)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._translate(error) from error

    def _translate(self, error: OSError) -> EmailError:
        reason = f"{error.filename2 or self.path}: {error.strerror or type(error).__name__}"
        if error.errno in _NOT_WRITABLE:
            return RelayConfigurationError(
                f"cannot write to {reason}",
                "Name a directory that this process may create and write to.",
                field=self._setting,
            )
        return TransientFailure(
            self._transport,
            f"{reason}. Free space on this disk, or set {self._setting} to a directory on another.",
            stage="store",
        )


def _write_through(path: Path, chunks: Iterable[bytes]) -> None:
    """Create a file and bring it to the disk, so that a crash cannot put an empty one in place."""
    with open(path, "xb", opener=_private) as file:
        if sys.platform != "win32":
            os.fchmod(file.fileno(), 0o600)  # whatever the umask left of it
        file.writelines(chunks)
        file.flush()
        os.fsync(file.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _without_links(path: str, flags: int) -> int:
    """Open a file itself, and at once: a pipe in its place would be waited for without end."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _forget(temporary: Path) -> None:
    """Remove what was not put in place; a failure here must not hide the first one."""
    with suppress(OSError):
        temporary.unlink()
