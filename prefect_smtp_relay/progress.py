"""What the earlier tries of a mail reached, so that nobody gets it twice.

A retry of a task runs in the process of the first try; what another process reached is not known
here, and is only told by the Message-ID, which stays the same.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from prefect_smtp_relay.mail.receipt import Receipt

_MOST_MAILS = 10_000

_reached: OrderedDict[str, Receipt] = OrderedDict()
_lock = threading.Lock()


def recall(seed: str) -> Receipt | None:
    """Give the receipt of the earlier tries, if anybody was accepted in them.

    Args:
        seed: of the Message-ID; blank for a mail that has one try only.
    """
    with _lock:
        return _reached.get(seed)


def note(seed: str, receipt: Receipt) -> None:
    """Keep a receipt for the next try.

    Args:
        seed: as above; with a blank one, nothing is kept.
        receipt: of all tries up to now.
    """
    if not seed:
        return
    with _lock:
        _reached[seed] = receipt
        if len(_reached) > _MOST_MAILS:
            _reached.popitem(last=False)


def forget(seed: str) -> None:
    """Drop what is kept: there is no next try."""
    with _lock:
        _reached.pop(seed, None)
