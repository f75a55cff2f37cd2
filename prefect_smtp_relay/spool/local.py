"""A store in a directory of this host: the one place that touches the disk for it."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from prefect_smtp_relay.exceptions import EmailError, RelayConfigurationError, TransientFailure
from prefect_smtp_relay.spool.store import Entry

LEFTOVER_SECONDS = 24 * 60 * 60
"""Longer than a file is being written: what is older belongs to a process that died."""

_NOT_WRITABLE = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR),
        *(errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT),
    }
)
_NO_LINKS = frozenset(
    {errno.EPERM, errno.ENOSYS, errno.EXDEV, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP}
)


class LocalStore:
    """A `Store` in a directory for its owner only (0700), whose files (0600) are whole or absent.

    Args:
        root: created, with its parents, when the first file is written.
        setting: what names the directory, for errors.
        only_own: read only files of this user that nobody else can read or write.
    """

    def __init__(self, root: Path, setting: str = "spool", *, only_own: bool = False) -> None:
        self.root = root
        self._setting = setting
        self._only_own = only_own

    @property
    def name(self) -> str:
        """The directory."""
        return str(self.root)

    def create(self, key: str, data: bytes, *, durable: bool = False) -> bool:
        """As `Store.create`: a hard link cannot take the place of a file."""
        path = self.root / key
        with self._translated(), self._staged(path, data, durable=durable) as temporary:
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno in _NO_LINKS:
                    raise self._without_links() from error
                raise
            if durable:
                _write_names_through(path.parent)
            return True

    def replace(self, key: str, data: bytes, *, durable: bool = False) -> None:
        """As `Store.replace`."""
        path = self.root / key
        with self._translated(), self._staged(path, data, durable=durable) as temporary:
            temporary.replace(path)
            if durable:
                _write_names_through(path.parent)

    def read(self, key: str) -> bytes | None:
        """As `Store.read`.

        Raises:
            RelayConfigurationError: also where the file may be somebody else's.
        """
        path = self.root / key
        with (
            self._translated(),
            suppress(FileNotFoundError),
            open(path, "rb", opener=_without_following) as file,
        ):
            if self._only_own:
                self._check_own(path, os.fstat(file.fileno()))
            return file.read()
        return None

    def delete(self, key: str) -> None:
        """As `Store.delete`."""
        with self._translated(), suppress(FileNotFoundError):
            (self.root / key).unlink()

    def list(self, folder: str) -> list[Entry]:
        """As `Store.list`; what a crash left half-written a day ago is removed."""
        with (
            self._translated(),
            suppress(FileNotFoundError),
            os.scandir(self.root / folder) as all_,
        ):
            return [entry for file in all_ if (entry := _described(file, folder))]
        return []

    @contextmanager
    def _staged(self, path: Path, data: bytes, *, durable: bool) -> Iterator[Path]:
        """Write a file next to the place that it is for, and remove what is left of it."""
        temporary = path.parent / f".{secrets.token_hex(8)}.tmp"
        try:
            try:
                _write(temporary, data, durable=durable)
            except FileNotFoundError:
                self._make(path.parent)
                _write(temporary, data, durable=durable)
            yield temporary
        finally:
            # A failure here must not hide the first one. `access` is cheaper than an exception.
            if os.access(temporary, os.F_OK):
                with suppress(OSError):
                    temporary.unlink()

    def _make(self, folder: Path) -> None:
        inner = folder.relative_to(self.root)
        for each in (self.root, *(self.root / up for up in reversed(inner.parents)), folder):
            if not each.is_dir():
                each.mkdir(mode=0o700, parents=True, exist_ok=True)
                each.chmod(0o700)  # whatever the umask left of it

    def _check_own(self, path: Path, status: os.stat_result) -> None:
        if sys.platform == "win32" or _is_own(status):
            return
        raise RelayConfigurationError(
            f"{path} belongs to another user, or others may open it",
            f"Look at it first. Then run chown {os.geteuid()} and chmod 600 on it, or flush once"
            " with spool_accepts=any.",
            field=self._setting,
        )

    def _without_links(self) -> RelayConfigurationError:
        return RelayConfigurationError(
            f"the file system of {self.root} has no hard links",
            "Name a directory on another file system, or an object store: s3://bucket/folder.",
            field=self._setting,
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._translate(error) from error

    def _translate(self, error: OSError) -> EmailError:
        place = error.filename2 or error.filename or self.root
        reason = f"{place}: {error.strerror or type(error).__name__}"
        if error.errno in _NOT_WRITABLE:
            return RelayConfigurationError(
                f"cannot use {reason}",
                "Name a directory that this process may create and write to.",
                field=self._setting,
            )
        return TransientFailure(
            self.name,
            f"{reason}. Free space on this disk, or set {self._setting} to a directory on another.",
            stage="store",
        )


def _write(path: Path, data: bytes, *, durable: bool) -> None:
    """Create a file; a durable one is on the disk before it is put in place."""
    with open(path, "xb", buffering=0, opener=_private) as file:  # one write is what it takes
        if sys.platform != "win32":
            os.fchmod(file.fileno(), 0o600)  # whatever the umask left of it
        left = memoryview(data)
        while left:  # a disk that is getting full takes a part
            left = left[file.write(left) :]
        if durable:
            os.fsync(file.fileno())


def _write_names_through(folder: Path) -> None:
    """Bring the names to the disk too, where the platform and the file system can."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems know no fsync of a directory; the files are in place.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def _described(file: os.DirEntry[str], folder: str) -> Entry | None:
    try:
        status = file.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            return None
        if not file.name.startswith("."):
            modified = datetime.fromtimestamp(status.st_mtime, UTC)
            return Entry(f"{folder}/{file.name}", modified, status.st_size)
        if file.name.endswith(".tmp") and time.time() - status.st_mtime > LEFTOVER_SECONDS:
            Path(file).unlink()
    except FileNotFoundError:  # removed or renamed meanwhile
        pass
    return None


def _is_own(status: os.stat_result) -> bool:
    is_file = stat.S_ISREG(status.st_mode)
    return is_file and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _without_following(path: str, flags: int) -> int:
    """Open a file itself, and at once: a pipe in its place would be waited for without end."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
