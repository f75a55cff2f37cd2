"""A server that takes everything, and keeps what it heard."""

from __future__ import annotations

import socketserver
import threading


class RecordingServer(socketserver.ThreadingTCPServer):
    """Answers 250 to whatever comes; a context manager.

    It is as lenient as the most lenient of its kind: a bare LF ends a line, and a line with one
    dot the mail. What such a server could take for a command is in its record.

    Args:
        extensions: the EHLO keywords.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, *extensions: str) -> None:
        super().__init__(("127.0.0.1", 0), _Dialogue)
        self.extensions = extensions
        self.port: int = self.server_address[1]
        self.commands: list[bytes] = []
        self.bodies: list[bytes] = []

    def __enter__(self) -> RecordingServer:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def forget(self) -> None:
        """Start a new record."""
        self.commands.clear()
        self.bodies.clear()


class _Dialogue(socketserver.StreamRequestHandler):
    """One connection, until the client goes."""

    server: RecordingServer

    def handle(self) -> None:
        self._reply("220 mx.test")
        while line := self.rfile.readline():
            self.server.commands.append(line)
            verb = line[:4]
            if verb == b"DATA":
                self._reply("354 go on")
                self.server.bodies.append(self._read_body())
            if verb == b"EHLO":
                self._reply(*(f"250-{keyword}" for keyword in ("mx", *self.server.extensions)))
            self._reply("221 bye" if verb == b"QUIT" else "250 ok")

    def _reply(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def _read_body(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) and line.rstrip(b"\r\n") != b".":
            lines.append(line)
        return b"".join(lines)
