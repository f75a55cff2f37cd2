"""A mail server that writes each mail to disk before it answers 250, and can be killed.

``python -m tests.fleet.disk_mail_server PORT FILE`` serves until it is ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import NamedTuple

from prefect_smtp_relay.testing.mail_server import MailServer


class Accepted(NamedTuple):
    """One mail that was answered with 250, or would have been if the server had lived on."""

    to: str
    message_id: str


class DiskMailServer(MailServer):
    """Appends a line to a file for each mail."""

    file: Path

    def answer_data(self, octets: bytes) -> str | None:
        """Write the mail down, then accept it."""
        message = message_from_bytes(octets)
        line = json.dumps([message["To"], message["Message-ID"]]) + "\n"
        out = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(out, line.encode())  # at once: a kill leaves the whole line, or none
        os.close(out)
        return None


def accepted_mails(file: Path) -> Iterator[Accepted]:
    """Read what a server has written."""
    if file.exists():
        *lines, _ = file.read_text(encoding="utf-8").split("\n")  # the last one may be half written
        for line in lines:
            yield Accepted(*json.loads(line))


@dataclass(frozen=True)
class Audit:
    """What became of mails that were to arrive once each.

    Args:
        lost: how many were never accepted.
        same_id: copies of a mail with the Message-ID that it had before.
        other_id: copies with another one.
    """

    lost: int = 0
    same_id: int = 0
    other_id: int = 0

    @classmethod
    def of(cls, expected: Iterable[str], mails: Iterable[Accepted]) -> Audit:
        """Compare the recipients, one a mail, with what was accepted."""
        wanted = {*expected}
        copies = Counter(mail for mail in mails if mail.to in wanted)
        ids = Counter(mail.to for mail in copies)
        return cls(
            lost=len(wanted) - len(ids),
            same_id=copies.total() - len(copies),
            other_id=len(copies) - len(ids),
        )

    def __add__(self, other: Audit) -> Audit:
        return Audit(
            self.lost + other.lost, self.same_id + other.same_id, self.other_id + other.other_id
        )


def main(port: str, file: str) -> None:
    """Serve until a signal ends the process."""
    server = DiskMailServer(port=int(port))
    server.file = Path(file)
    with server:
        signal.sigwait([signal.SIGTERM, signal.SIGINT])


if __name__ == "__main__":
    main(*sys.argv[1:])
