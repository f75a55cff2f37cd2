"""Saves and deletes block documents: connects and disconnects relays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from prefect_smtp_relay.blocks.documents import Connected
from prefect_smtp_relay.blocks.relays import RelayBlock
from prefect_smtp_relay.runtime.api import API_ERRORS
from prefect_smtp_relay.runtime.catalog import api_failure
from prefect_smtp_relay.settings.errors import configuration_error


def connect(block: RelayBlock, name: str, *, overwrite: bool) -> None:
    """Register the block's type, and save the block as a document.

    Args:
        block: the relay.
        name: of the document.
        overwrite: replace a document of that name.

    Raises:
        RelayConfigurationError: Prefect does not take the name, or refuses the request.
        RelayLookupFailed: the API could not be asked.
    """
    with _asking(f"the Prefect API could not save {block.get_block_type_slug()}/{name}"):
        try:
            block.save(name, overwrite=overwrite)
        except ValidationError as error:
            raise configuration_error(error, lambda _: "name") from None


def disconnect(relay: Connected) -> None:
    """Delete a relay's document.

    Raises:
        RelayConfigurationError: the API refuses it.
        RelayLookupFailed: the API could not be asked.
    """
    with _asking(f"the Prefect API could not delete {relay.name}"):
        relay.block_type.delete(relay.document_name)


@contextmanager
def _asking(text: str) -> Iterator[None]:
    try:
        yield
    except API_ERRORS as error:
        raise api_failure(error, text) from error
