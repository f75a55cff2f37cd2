"""What a scripted server notes: all that clients said, and each copy it stored for whom."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

FINAL_DOT = "."
_FINAL_LINE = re.compile(rb"(\d{3})(?!\d|-)")
_PATH = re.compile(r"<(.*?)>")


class StoredMail(NamedTuple):
    """One copy that a server took, with the recipients it accepted in that transaction."""

    reverse_path: str
    forward_paths: tuple[str, ...]
    octets: bytes


@dataclass
class Record:
    """What all connections of a server noted."""

    heard: bytearray = field(default_factory=bytearray)
    heard_in_clear: bytearray = field(default_factory=bytearray)
    surprises: list[str] = field(default_factory=list)
    stored: list[StoredMail] = field(default_factory=list)


class Dialogue:
    """Finds the reply to each command of one connection, however both were cut and mixed."""

    def __init__(self) -> None:
        self._unanswered: deque[str] = deque()
        self._said = bytearray()
        self._reverse_path: str | None = None
        self._forward_paths: list[str] = []

    @property
    def wants(self) -> str:
        """The next command of a transaction: MAIL, RCPT, or DATA."""
        if self._reverse_path is None:
            return "MAIL"
        return "DATA" if self._forward_paths else "RCPT"

    def heard(self, command: str) -> None:
        """Note a line (or the end of a message) that wants a reply."""
        self._unanswered.append(command)

    def said(self, octets: bytes) -> None:
        """Note what was written, which may be any part of a reply."""
        self._said += octets
        *lines, rest = self._said.split(b"\n")
        self._said = rest[:4]  # the code, and what follows it
        for line in lines:
            if (final := _FINAL_LINE.match(line)) and self._unanswered:
                self._answer(self._unanswered.popleft(), final[1])

    def copy(self, octets: bytes) -> StoredMail:
        """Give the message of the transaction at hand."""
        return StoredMail(self._reverse_path or "", tuple(self._forward_paths), octets)

    def _answer(self, command: str, code: bytes) -> None:
        verb, path = command[:4].upper(), _PATH.search(command)
        if verb in (FINAL_DOT, "RSET"):
            self._reverse_path, self._forward_paths = None, []
        if path is None or not code.startswith(b"2"):
            return
        if verb == "MAIL":
            self._reverse_path, self._forward_paths = path[1], []
        if verb == "RCPT":
            self._forward_paths.append(path[1])
