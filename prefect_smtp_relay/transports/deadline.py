"""How long a step may take, so that no server keeps a worker waiting."""

from __future__ import annotations

import math
import time

MIN_BYTES_PER_SECOND = 65_536
"""Of a line: what is longer has more time."""


class Deadline:
    """A moment after which something is given up.

    Args:
        seconds: from now; by default it never comes.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self._end = time.monotonic() + seconds

    @classmethod
    def of_delivery(cls, seconds: float, size: int, recipients: int) -> Deadline:
        """The bound of a whole delivery, but for the wait for its final reply.

        Args:
            seconds: for a message of no size to nobody; on top of it
            size: of the message in bytes, a second for each 64 KiB, and
            recipients: a second for each.
        """
        return cls(seconds + size / MIN_BYTES_PER_SECOND + recipients)

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
