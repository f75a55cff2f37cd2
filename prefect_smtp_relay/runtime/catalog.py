"""Which relays are connected, and which one takes the next mail.

One request a look-up, never a remembered answer. An API that cannot be asked is an error, never
"nothing is connected".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from prefect.client.schemas.objects import BlockDocument
from pydantic import ValidationError

from prefect_smtp_relay.blocks.base import describe
from prefect_smtp_relay.blocks.relays import RELAY_BLOCKS, RelayBlock
from prefect_smtp_relay.exceptions import (
    RelayConfigurationError,
    RelayLookupFailed,
    UnknownRelay,
)
from prefect_smtp_relay.runtime import in_server as server_process
from prefect_smtp_relay.runtime.api import API_ERRORS, ask

_NO_LOOK_UP = "the Prefect API could not say which relays are connected"
_PAGE = 200
_BY_SLUG = {block.get_block_type_slug(): block for block in RELAY_BLOCKS}
_SLUGS = list(_BY_SLUG)


@dataclass(frozen=True)
class Connected:
    """One connected block document, not yet known to be valid.

    Args:
        slug: ``smtp`` or ``sendgrid``.
        document_name: the document's name.
        data: its fields, secrets included: never to be printed.
    """

    slug: str
    document_name: str
    data: dict[str, Any]

    def __repr__(self) -> str:
        return f"Connected({self.name!r})"

    @property
    def name(self) -> str:
        """``smtp/NAME``."""
        return f"{self.slug}/{self.document_name}"

    @property
    def block_type(self) -> type[RelayBlock]:
        """`SMTP` or `SendGrid`."""
        return _BY_SLUG[self.slug]

    @property
    def priority(self) -> int:
        """The field ``priority``, before the document as a whole is checked.

        Raises:
            RelayConfigurationError: it is no whole number, so that the choice is unknown.
        """
        value = self.data.get("priority")
        if value is None or value == "":
            return 0
        try:
            return int(value)
        except (TypeError, ValueError):
            raise RelayConfigurationError(
                f"{self.name}: priority: is no whole number; set it in the block document."
            ) from None

    def load(self) -> RelayBlock:
        """Check the document and make its block.

        Raises:
            RelayConfigurationError: naming the document, the field and the fix.
        """
        try:
            block = self.block_type.model_validate(self.data)
        except ValidationError as error:
            raise RelayConfigurationError(
                f"{self.name}: {describe(error)}. Correct the block document {self.name}."
            ) from None
        block._block_document_name = self.document_name  # noqa: SLF001  # Prefect's documented place for it
        return block


def connected() -> list[Connected]:
    """Ask which relays are connected, in the order of choice.

    Raises:
        RelayLookupFailed: the API could not be asked.
        RelayConfigurationError: it refused the question, or a priority that decides is unreadable.
    """
    return in_order(documents())


def in_order(relays: list[Connected]) -> list[Connected]:
    """Sort relays: SMTP first, the higher priority, then the name.

    Raises:
        RelayConfigurationError: a priority is unreadable that may decide who takes the mail: one
            of the type that goes first. Another one stands last among its type.
    """
    first = min((_SLUGS.index(relay.slug) for relay in relays), default=0)

    def place(relay: Connected) -> tuple[int, float, str]:
        number = _SLUGS.index(relay.slug)
        try:
            priority: float = relay.priority
        except RelayConfigurationError:
            if number == first:
                raise
            priority = -math.inf
        return number, -priority, relay.document_name

    return sorted(relays, key=place)


def documents() -> list[Connected]:
    """Ask which relays are connected, in no order, whether or not it can be told which is chosen.

    Raises:
        RelayLookupFailed: the API could not be asked.
        RelayConfigurationError: it refused the question.
    """
    return [
        Connected(document.block_type.slug, document.name, document.data)
        for document in _documents(_SLUGS)
        if document.block_type is not None and document.name
    ]


def preferred() -> RelayBlock | None:
    """Load the relay that takes the next mail, or None where nothing is connected.

    Raises:
        RelayLookupFailed: the API could not be asked.
        RelayConfigurationError: the chosen document is invalid.
    """
    return next((candidate.load() for candidate in connected()), None)


def named(name: str) -> RelayBlock:
    """Load the relay that the caller names.

    Args:
        name: ``smtp/NAME`` or ``sendgrid/NAME``.

    Raises:
        UnknownRelay: there is no such document; the text lists those that exist.
        RelayLookupFailed: the API could not be asked.
        RelayConfigurationError: the document is invalid.
    """
    slug, document_name = split_name(name)
    documents = _documents([slug], document_name)
    for document in documents:
        return Connected(slug, document_name, document.data).load()
    existing = ", ".join(candidate.name for candidate in connected()) or "none"
    raise UnknownRelay(f"relay: there is no block document {name!r}. Connected relays: {existing}.")


def split_name(name: str) -> tuple[str, str]:
    """Split ``smtp/NAME`` into the block type's slug and the document's name.

    Raises:
        UnknownRelay: it has not this form.
    """
    slug, _, document_name = name.partition("/")
    if slug not in _BY_SLUG or not document_name:
        raise UnknownRelay(
            f"relay: {name!r} is no relay; write smtp/NAME, sendgrid/NAME or outbox, or pass a"
            " block."
        )
    return slug, document_name


def _documents(slugs: list[str], name: str | None = None) -> Iterator[BlockDocument]:
    """Read block documents page by page: a workspace with fewer than 200 needs one request."""
    query: dict[str, Any] = {
        "block_types": {"slug": {"any_": slugs}},
        "include_secrets": True,
        "limit": _PAGE,
        "offset": 0,
    }
    if name is not None:
        query["block_documents"] = {"name": {"any_": [name]}, "is_anonymous": {"eq_": False}}
    while True:
        page = _ask(query)
        yield from page
        if len(page) < _PAGE:
            return
        query["offset"] += _PAGE


def _ask(query: dict[str, Any]) -> list[BlockDocument]:
    try:
        documents: list[BlockDocument] = BlockDocument.model_validate_list(_post(query).json())
    except API_ERRORS as error:
        raise api_failure(error, _NO_LOOK_UP, "; no relay was given the mail") from error
    return documents


def _post(query: dict[str, Any]) -> httpx.Response:
    """Both types in one request; the client's own methods ask for one type, or for all."""
    if server_process.is_entered():
        return server_process.post("/block_documents/filter", query)
    return ask(lambda client: client.request("POST", "/block_documents/filter", json=query))


def api_failure(
    error: Exception, text: str, comfort: str = ""
) -> RelayConfigurationError | RelayLookupFailed:
    """Translate one of `API_ERRORS`.

    Args:
        error: what Prefect's client raised.
        text: what the API could not do.
        comfort: what did not happen because of it.
    """
    status = _http_status(error)
    if status in {401, 403}:
        return RelayConfigurationError(
            f"{text}: it refused (HTTP {status}). Set PREFECT_API_KEY or PREFECT_API_AUTH_STRING to"
            " one that may read and write blocks."
        )
    reason = f"HTTP {status}" if status else f"{type(error).__name__}: {error}"
    return RelayLookupFailed(
        f"{text} ({reason}). Check PREFECT_API_URL and that the server runs{comfort}."
    )


def _http_status(error: BaseException | None) -> int | None:
    """The API's status; Prefect's client wraps it while it greets the server."""
    while error is not None:
        if isinstance(error, httpx.HTTPStatusError):
            return error.response.status_code
        error = error.__cause__ or error.__context__
    return None
