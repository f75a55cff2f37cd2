"""What this process learned of the servers it spoke to."""

from __future__ import annotations

import threading

from prefect_smtp_relay.transports.resolver import Address
from prefect_smtp_relay.transports.smtp.config import Endpoint, SmtpConfig


class Learned:
    """One for the process, see `process_memory`.

    ``starttls`` are those that answered direct TLS in plain text, ``offered_starttls`` those that
    had STARTTLS on offer, ``addresses`` what worked last of those of a host, ``closing`` what
    answered 421 last before it took anything, ``slow`` those that greeted late or not at all,
    ``losing`` those that lose the commands which come together with the end of a message
    (chasquid 1.11 reads a message by another buffer).
    """

    def __init__(self) -> None:
        self.starttls: set[Endpoint] = set()
        self.offered_starttls: set[Endpoint] = set()
        self.addresses: dict[Endpoint, Address] = {}
        self.closing: dict[Endpoint, Address] = {}
        self.slow: set[Endpoint] = set()
        self.losing: set[Endpoint] = set()
        self._warned: set[SmtpConfig] = set()
        self._lock = threading.Lock()

    def is_first_warning(self, config: SmtpConfig) -> bool:
        """Whether nobody was warned of this configuration yet; from now on, somebody was."""
        with self._lock:
            is_first = config not in self._warned
            self._warned.add(config)
        return is_first
