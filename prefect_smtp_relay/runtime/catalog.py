"""Which relays are connected, and which one takes the next mail.

One request a look-up, never a remembered answer. An API that cannot be asked is an error, never
"nothing is connected".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
from prefect.client.schemas.objects import BlockDocument

from prefect_smtp_relay.blocks.documents import SLUGS, Connected, in_order, split_name
from prefect_smtp_relay.blocks.relays import RelayBlock
from prefect_smtp_relay.exceptions import (
    RelayConfigurationError,
    RelayLookupFailed,
    UnknownRelay,
)
from prefect_smtp_relay.runtime.api import API_ERRORS
from prefect_smtp_relay.runtime.log import warn_once
from prefect_smtp_relay.runtime.requests import request

_NO_LOOK_UP = "the Prefect API could not say which relays are connected"
_PAGE = 200
_TIE = (
    "{loser} takes no mail: {winner} has the same priority, and is older. Set *Advanced: Priority*"
    " (`priority`) to choose. A second relay takes over after a failure only where the setting"
    " failover is on."
)


def connected() -> list[Connected]:
    """Ask which relays are connected, in the order of choice; log why an equal one takes no mail.

    Raises:
        RelayLookupFailed: the API could not be asked.
        RelayConfigurationError: it refused the question, or a priority that decides is unreadable.
    """
    relays = in_order(documents())
    _tell_of_ties(relays)
    return relays


def documents() -> list[Connected]:
    """Ask which relays are connected, in no order, whether or not it can be told which is chosen.

    Raises:
        RelayLookupFailed: the API could not be asked.
        RelayConfigurationError: it refused the question.
    """
    return [
        _connected(document, document.block_type.slug, document.name)
        for document in _documents(SLUGS)
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
    """Load the relay that the caller names; see `find`.

    Raises:
        RelayConfigurationError: the document is invalid.
    """
    return find(name).load()


def find(name: str) -> Connected:
    """Ask for the relay that the caller names.

    Args:
        name: ``smtp/NAME`` or ``sendgrid/NAME``.

    Raises:
        UnknownRelay: there is no such document; the text lists those that exist.
        RelayLookupFailed: the API could not be asked.
    """
    slug, document_name = split_name(name)
    for document in _documents([slug], document_name):
        return _connected(document, slug, document_name)
    existing = ", ".join(candidate.name for candidate in connected()) or "none"
    raise UnknownRelay(f"relay: there is no block document {name!r}. Connected relays: {existing}.")


def _connected(document: BlockDocument, slug: str, name: str) -> Connected:
    assert document.created is not None  # noqa: S101  # for mypy: what the API sends has it
    return Connected(slug, name, document.data, document.created)


def _tell_of_ties(relays: list[Connected]) -> None:
    """Say once a process which blocks take no mail because an older one has their priority."""
    first, others = relays[:1], relays[1:]
    for winner in first:
        for relay in others:
            if relay.slug == winner.slug and relay.priority == winner.priority:
                warn_once(_TIE.format(loser=relay.name, winner=winner.name))


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
    """Both types in one request; the client's own methods ask for one type, or for all."""
    try:
        answer = request("POST", "/block_documents/filter", json=query).json()
        documents: list[BlockDocument] = BlockDocument.model_validate_list(answer)
    except API_ERRORS as error:
        raise api_failure(error, _NO_LOOK_UP, "; no relay was given the mail") from error
    return documents


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
