"""A store in object storage, which many hosts share: S3 and what speaks its protocol, and GCS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from pydantic import Secret

from prefect_smtp_relay.exceptions import EmailError, RelayConfigurationError, TransientFailure
from prefect_smtp_relay.spool.store import Entry

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}
"""The protocols whose create is exclusive (If-None-Match, ifGenerationMatch), and what is to be
installed for each."""

_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "s3": {
        "use_listings_cache": False,
        "max_concurrency": 1,  # more would ask for the size before each read
        "config_kwargs": {"retries": {"mode": "standard", "total_max_attempts": 2}},
    },
    "gcs": {"use_listings_cache": False},
}
_WRONG = (PermissionError, FileNotFoundError, ValueError, TypeError, NotImplementedError)
_WRONG_NAMES = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}
    | {"ParamValidationError", "ProfileNotFound", "DefaultCredentialsError", "RefreshError"}
)
_MAX_CLIENT_ERROR, _LATER = 499, frozenset({408, 409, 429})


class RemoteStore:
    """A `Store` at a URL.

    Args:
        url: of a protocol in `EXTRAS`, with a bucket and perhaps a folder.
        options: for the fsspec file system, such as ``endpoint_url``, ``key`` and ``secret``.
    """

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self._url = url.rstrip("/")
        self._protocol, _, self._root = self._url.partition("://")
        self._options = Secret(dict(options))

    @property
    def name(self) -> str:
        """The URL."""
        return self._url

    def create(self, key: str, data: bytes, *, durable: bool = False) -> bool:
        """As `Store.create`."""
        del durable  # it always is
        try:
            with self._translated():
                self._files().pipe_file(f"{self._root}/{key}", data, mode="create")
        except _ExistsError:
            # A first request whose answer was lost may have created it, before the library asked
            # again.
            return self.read(key) == data
        return True

    def read(self, key: str) -> bytes | None:
        """As `Store.read`."""
        with self._translated(), self._missing_is_nothing():
            found: bytes = self._files().cat_file(f"{self._root}/{key}")
            return found
        return None

    def replace(self, key: str, data: bytes, *, durable: bool = False) -> None:
        """As `Store.replace`."""
        del durable  # it always is
        with self._translated():
            self._files().pipe_file(f"{self._root}/{key}", data)

    def delete(self, key: str) -> None:
        """As `Store.delete`."""
        with self._translated(), self._missing_is_nothing():
            self._files().rm_file(f"{self._root}/{key}")

    def list(self, folder: str) -> list[Entry]:
        """As `Store.list`."""
        with self._translated(), self._missing_is_nothing():
            found = self._files().ls(f"{self._root}/{folder}", detail=True)
            return [self._described(each) for each in found if each["type"] == "file"]
        return []

    def _files(self) -> Any:
        """Return the file system, which fsspec keeps for this process until it forks."""
        import fsspec

        extra = EXTRAS[self._protocol]
        try:
            return fsspec.filesystem(
                self._protocol, **{**_DEFAULTS[extra], **self._options.get_secret_value()}
            )
        except ImportError as error:
            raise RelayConfigurationError(
                f"{self.name} needs a package that is not installed ({error.name or error})",
                f"Run: pip install 'prefect-smtp-relay[{extra}]'",
                field="spool",
            ) from error

    def _described(self, found: Mapping[str, Any]) -> Entry:
        modified: datetime = found.get("LastModified") or found["mtime"]
        key = found["name"].removeprefix(f"{self._root}/")
        return Entry(key, modified.astimezone(UTC), found["size"])

    @contextmanager
    def _missing_is_nothing(self) -> Iterator[None]:
        """A bucket that does not exist is not an empty one."""
        try:
            yield
        except FileNotFoundError as error:
            if _code(error) == "NoSuchBucket":
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except EmailError:
            raise
        except FileExistsError as error:
            raise _ExistsError from error
        except Exception as error:  # each library has its own tree of errors
            raise self._translate(error) from error

    def _translate(self, error: Exception) -> EmailError:
        reason = f"{self._shown(error)} ({type(error).__name__})"
        if _is_wrong(error):
            return RelayConfigurationError(
                f"cannot use {self.name}: {reason}",
                "Check the bucket's name, its permissions, and the credentials of this process or"
                " in spool_options.",
                field="spool",
            )
        return TransientFailure(
            self.name, f"the store did not do what it was asked: {reason}.", stage="store"
        )

    def _shown(self, error: Exception) -> str:
        text = str(error).rstrip(".")
        for secret in _texts(self._options.get_secret_value()):
            text = text.replace(secret, "***")
        return text


class _ExistsError(Exception):
    """There is something of this key already."""


def _is_wrong(error: Exception) -> bool:
    """Whether somebody has to change something: trying again does not help."""
    if isinstance(error, _WRONG) or type(error).__name__ in _WRONG_NAMES:
        return True
    status = _status(error)
    return 400 <= status <= _MAX_CLIENT_ERROR and status not in _LATER


def _status(error: Exception) -> int:
    response = getattr(error.__cause__, "response", None) or {}
    with suppress(TypeError, ValueError):
        return int(
            response.get("ResponseMetadata", {}).get("HTTPStatusCode") or getattr(error, "code", 0)
        )
    return 0


def _code(error: Exception) -> str:
    """The name that S3 gave the error, or an empty text."""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _texts(options: object) -> Iterator[str]:
    """Every text in the options that could be a secret."""
    if isinstance(options, Mapping):
        for value in options.values():
            yield from _texts(value)
    elif isinstance(options, str) and len(options) > 3:
        yield options
