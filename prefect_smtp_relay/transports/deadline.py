"""How long a step may take, so that no server holds a worker."""

from __future__ import annotations

import math
import time

_TIMEOUTS_A_DELIVERY = 5
SLOWEST_OCTETS_PER_SECOND = 65_536
"""Of a line: what is longer has more time."""


class Deadline:
    """A moment after which something is given up.

    Args:
        seconds: from now; by default it never comes.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self._end = time.monotonic() + seconds

    @classmethod
    def of_delivery(cls, timeout_seconds: float, octets: int, recipients: int) -> Deadline:
        """The bound of a whole delivery, but for the wait for its final reply.

        Args:
            timeout_seconds: of the relay; a delivery has five times that, and on top
            octets: of the message, a second for each 64 KiB, and
            recipients: a second for each.
        """
        extra = octets / SLOWEST_OCTETS_PER_SECOND + recipients
        return cls(_TIMEOUTS_A_DELIVERY * timeout_seconds + extra)

    def left(self, at_most: float = math.inf) -> float:
        """Seconds that a step may take.

        Args:
            at_most: the bound of the step itself.

        Raises:
            TimeoutError: none are left.
        """
        remaining = min(at_most, self._end - time.monotonic())
        if remaining <= 0:
            raise TimeoutError("the time is over")
        return remaining
