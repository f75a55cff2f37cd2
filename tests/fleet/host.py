"""One host of two: sends mails under the keys of the other one, each at the same moment.

``python -m tests.fleet.host GATE_PORT MAIL_PORT COUNT`` waits at the gate before each mail, and
prints the Message-ID of each receipt.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence

from prefect_smtp_relay import SMTP, send_an_email


class Gate:
    """Lets hosts go on together.

    Args:
        hosts: how many there are.
    """

    def __init__(self, hosts: int) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._hosts = hosts
        self.port = self._listening.getsockname()[1]

    def open(self, count: int) -> None:
        """Wait until all have come, then let them all through, so many times."""
        with self._listening:
            hosts = [self._listening.accept()[0] for _ in range(self._hosts)]
        for _ in range(count):
            for host in hosts:
                assert host.recv(1), "a host has ended"
            for host in hosts:
                host.sendall(b"g")
        for host in hosts:
            host.close()


def main(arguments: Sequence[str]) -> None:
    """Send."""
    gate_port, mail_port, count = map(int, arguments)
    relay = SMTP(address="127.0.0.1", port=mail_port, ssl=False, from_address="ops@example.org")
    with socket.create_connection(("127.0.0.1", gate_port)) as gate:
        for number in range(count):
            gate.sendall(b"r")
            gate.recv(1)
            receipt = send_an_email.fn(
                f"user{number}@example.org", "s", "b", relay=relay, idempotency_key=f"key/{number}"
            )
            sys.stdout.write(f"{receipt.message_id}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
