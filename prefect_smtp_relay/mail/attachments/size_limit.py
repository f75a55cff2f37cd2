"""How large the files of one message may be, before any relay is asked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from prefect_smtp_relay.exceptions import MessageTooLarge
from prefect_smtp_relay.mail.attachments.attachment import Attachment

_MEGABYTE = 1024 * 1024
"""Read the larger way: most file managers mean this."""
_MAX_NAMED = 3


@dataclass(frozen=True, slots=True)
class SizeLimit:
    """The bound of a message's files, in all.

    Args:
        megabytes: at most so many.
        setting: what raises the bound, for the error.
    """

    megabytes: int
    setting: str

    @property
    def in_bytes(self) -> int:
        """The same in bytes."""
        return self.megabytes * _MEGABYTE

    def check(self, files: Collection[Attachment]) -> None:
        """Refuse files that are too large together, by the sizes that they declare.

        Raises:
            MessageTooLarge: with the sizes, the bound and the fix.
        """
        total = sum(file.size for file in files)
        if total > self.in_bytes:
            largest = sorted(files, key=lambda file: -file.size)[:_MAX_NAMED]
            names = ", ".join(f"{file.name} {_in_megabytes(file.size)}" for file in largest)
            more = ", ..." if len(files) > _MAX_NAMED else ""
            raise self.exceeded(f"{_in_megabytes(total)} in all ({names}{more})")

    def exceeded(self, found: str) -> MessageTooLarge:
        """Make the error.

        Args:
            found: what is too large.
        """
        return MessageTooLarge(
            f"{found}, and the limit is {self.megabytes} MB",
            f"Attach less, link to the files, or raise {self.setting}; relays have limits of their"
            " own.",
            field="attachments",
        )


def _in_megabytes(size: int) -> str:
    """Round up: what exceeds a bound must not look equal to it."""
    return f"{-(-size * 10 // _MEGABYTE) / 10:,.1f} MB"
