"""Bad data loses no mail: what came as a value and cannot be in a mail is left out, and named."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prefect_smtp_relay.exceptions import InvalidMailbox, MessageError
from prefect_smtp_relay.mail.address_syntax import split_list
from prefect_smtp_relay.mail.mailbox import Mailbox

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class LeftOut:
    """Notes of what was left out of one mail, or is shown as a space.

    Args:
        refuses: whether bad data is an error, as it is where an author writes it.
    """

    def __init__(self, *, refuses: bool = False) -> None:
        self.notes: list[str] = []
        self._refuses = refuses

    def clean(self, text: str, field: str) -> str:
        """Return a value for one line: line ends and control characters become spaces."""
        text = text.strip()
        if found := _CONTROLS.search(text):
            self._note(f"{field}: {found.group()!r} in a value is shown as a space")
        return _CONTROLS.sub(" ", text)

    def mailboxes(self, text: str, field: str) -> Iterator[Mailbox]:
        """Read a value that lists mailboxes; what is not one is left out.

        Raises:
            InvalidMailbox: bad data is refused.
        """
        for entry in split_list(text):
            yield from self.mailbox(self.clean(entry, field), field)

    def mailbox(self, text: str, field: str) -> Iterator[Mailbox]:
        """Read a value that is one mailbox, or give none.

        Raises:
            InvalidMailbox: bad data is refused.
        """
        try:
            yield Mailbox.parse(text, field)
        except InvalidMailbox as error:
            self.leave_out(error)

    def leave_out(self, error: MessageError) -> None:
        """Note a mailbox, or an option of a mail, that is left out.

        Raises:
            MessageError: bad data is refused.
        """
        if self._refuses:
            raise error
        is_blind = error.field == "bcc"  # no receipt and no log names those
        self._note("bcc: a value is not an e-mail address" if is_blind else error.problem_in_field)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
