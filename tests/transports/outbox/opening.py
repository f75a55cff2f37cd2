"""An outbox by its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from prefect_smtp_relay.spool import open_spool
from prefect_smtp_relay.transports.outbox import Outbox


def outbox_in(
    directory: Path,
    keys: Sequence[SecretStr] = (),
    *,
    accepts_any: bool = False,
    keeps_unknown: bool = False,
) -> Outbox:
    """Open the outbox in a spool's folder ``outbox``."""
    spool = open_spool(str(directory.parent), keys, accepts_any=accepts_any)
    return Outbox(spool, keeps_unknown=keeps_unknown)
