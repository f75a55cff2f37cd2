"""Which mail of a thread is the first one: its Message-ID is the one that the others answer."""

from __future__ import annotations

import uuid

from prefect_smtp_relay.delivery.identity import hash_of_key
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.settings import SmtpRelaySettings


def is_first(thread: str, seed: str, settings: SmtpRelaySettings) -> bool:
    """Whether a mail is the first one that starts its thread, over all hosts that share the spool.

    Two mails of one Message-ID show as one, so where the spool cannot be asked, it is not.

    Args:
        thread: its key.
        seed: of the mail: the same on every try; empty where there is only one.
        settings: as of now.
    """
    key = f"threads/{hash_of_key(thread)}"
    mine = (seed or str(uuid.uuid4())).encode()
    try:
        spool = settings.open_spool()
        return spool.create(key, mine) or spool.read(key) == mine
    except EmailError as error:
        run_logger().warning(
            "The mail does not start the thread %r, and answers its start: %s", thread, error
        )
        return False
