"""Reads a secret from a file that the operator of this process permits."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import SecretBytes, SecretStr

from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.settings.names import PREFIX

MAX_SECRET_BYTES = 16 * 1024

_NOT_THERE = (
    "Mount the secret there wherever mail is sent (workers; the server, for notifications), or"
    " correct the path."
)
_ALONE = "Write the secret alone into it, in one line of UTF-8."


def read_secret_file(path: str, permitted: Iterable[str]) -> SecretStr:
    """Read a secret from its file, without the line end after it.

    Args:
        path: absolute.
        permitted: patterns as in the setting ``secret_files``.

    Raises:
        RelayConfigurationError: it may not be read, cannot be, or does not look like a secret. The
            text names the path, and never the content.
    """
    patterns = list(permitted)
    if not is_permitted(path, patterns):
        raise RelayConfigurationError(
            f"{path} is not a file that secrets may be read from here",
            f"Use one of {', '.join(patterns)}, or add it to the setting"
            f" {PREFIX}SECRET_FILES of this process.",
        )
    content = _read(path)
    if problem := _problem_of(content):
        raise RelayConfigurationError(f"{path} {problem}", _ALONE)
    return _decode(content)


def is_permitted(path: str, patterns: Iterable[str]) -> bool:
    """Whether a file is in the directory of a pattern, has such a name, and leads nowhere else.

    Links within the directory are followed: Kubernetes mounts each secret as one.
    """
    folder, name = os.path.split(path)
    folder = os.path.realpath(folder)
    is_inside = Path(os.path.realpath(path)).is_relative_to(folder)
    return is_inside and any(
        os.path.realpath(directory) == folder and fnmatchcase(name, names)
        for directory, names in map(os.path.split, patterns)
    )


def _read(path: str) -> SecretBytes:
    try:
        try:
            return _read_once(path)
        except FileNotFoundError:
            return _read_once(path)  # Kubernetes was just exchanging it
    except FileNotFoundError:
        problem, fix = "does not exist on this host", _NOT_THERE
    except PermissionError:
        problem = "may not be read by the user of this process"
        fix = "Mount it so that this user may: with fsGroup in Kubernetes, or uid and mode."
    except OSError as error:
        problem, fix = f"cannot be read: {error.strerror}", _NOT_THERE
    raise RelayConfigurationError(f"{path} {problem}", fix)


def _read_once(path: str) -> SecretBytes:
    """Read one byte more than a secret may have; a pipe must not make the mail wait."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise RelayConfigurationError(f"{path} is not a file", _NOT_THERE)
        return SecretBytes(file.read(MAX_SECRET_BYTES + 1))


def _problem_of(content: SecretBytes) -> str:
    """Say why a content cannot be a secret: no error may have a frame in which it shows."""
    if len(content) > MAX_SECRET_BYTES:
        return f"has more than {MAX_SECRET_BYTES:,} bytes"
    try:
        text = _decode(content).get_secret_value()
    except UnicodeDecodeError:
        return "is not UTF-8"
    if not text.strip():
        return "is empty"
    return "has more than one line" if {"\n", "\r"} & set(text) else ""


def _decode(content: SecretBytes) -> SecretStr:
    return SecretStr(content.get_secret_value().decode("utf-8-sig").rstrip("\r\n"))
