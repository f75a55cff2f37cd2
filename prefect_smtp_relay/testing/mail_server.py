"""A real mail server on loopback, for tests and the demo (aiosmtpd)."""

from __future__ import annotations

import asyncio
import email
import email.policy
import hashlib
import hmac
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

Security = Literal["plain", "starttls", "tls"]


@dataclass(frozen=True)
class ReceivedMail:
    """One message as the server got it.

    Args:
        reverse_path, forward_paths: the envelope.
        octets: the message, with CRLF line ends.
        mail_options: the parameters of MAIL, such as ``BODY=8BITMIME``.
        helo: the name the client gave.
        encrypted: whether TLS was on.
        mechanism, username: how the client authenticated, or blank.
    """

    reverse_path: str
    forward_paths: tuple[str, ...]
    octets: bytes
    mail_options: tuple[str, ...]
    helo: str
    encrypted: bool
    mechanism: str
    username: str

    @property
    def message(self) -> EmailMessage:
        """The message, parsed by the standard library."""
        return email.message_from_bytes(self.octets, policy=email.policy.default)


@dataclass
class MailServer:
    """A mail server that keeps what it accepts; a context manager that runs it in a thread.

    Args:
        security: ``plain``, ``starttls`` (offered), or ``tls`` (from the first byte).
        tls_context: needed for the last two; from `issue_certificates`.
        users: names and passwords; empty offers no AUTH.
        mechanisms: which AUTH mechanisms are offered, of PLAIN, LOGIN and CRAM-MD5.
        auth_in_cleartext: offer AUTH without TLS.
        hidden_extensions: EHLO keywords that are not announced, such as ``8BITMIME``.
        size_limit: octets (SIZE).
        refused: an address, or ``DATA``, and the whole reply line it gets.
        data_reply: takes a message's Message-ID, gives the reply line that refuses it, or None.

    ``mails`` are those it accepted, ``offered`` counts the refused ones too, ``connections`` what
    was opened.
    """

    security: Security = "plain"
    tls_context: ssl.SSLContext | None = None
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    mechanisms: Sequence[str] = ("PLAIN", "LOGIN", "CRAM-MD5")
    auth_in_cleartext: bool = False
    hidden_extensions: Sequence[str] = ()
    size_limit: int = 33_554_432
    refused: dict[str, str] = field(default_factory=dict)
    data_reply: Callable[[str], str | None] | None = None
    mails: list[ReceivedMail] = field(default_factory=list)
    offered: int = 0
    connections: int = 0
    host: str = "127.0.0.1"
    port: int = 0

    def __enter__(self) -> MailServer:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listening = socket.create_server((self.host, self.port), family=family)
        self.port = self._listening.getsockname()[1]
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, args=(started,), daemon=True)
        self._thread.start()
        started.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _serve(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        context = self.tls_context if self.security == "tls" else None
        server = self._loop.run_until_complete(
            self._loop.create_server(self._connect, sock=self._listening, ssl=context)
        )
        started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _connect(self) -> SMTP:
        self.connections += 1
        starttls = self.security == "starttls"
        return SMTP(
            _Session(self),
            data_size_limit=self.size_limit,
            enable_SMTPUTF8=True,
            hostname="mail.test",
            tls_context=self.tls_context if starttls else None,
            auth_require_tls=starttls and not self.auth_in_cleartext,
            auth_exclude_mechanism={"PLAIN", "LOGIN", "CRAM-MD5"} - set(self._offered()),
            authenticator=self._authenticate,
            loop=self._loop,
        )

    def answer_data(self, octets: bytes) -> str | None:
        """The reply that refuses a message, or None to accept it."""
        if self.data_reply is not None:
            return self.data_reply(email.message_from_bytes(octets)["Message-ID"])
        return self.refused.get("DATA")

    def _offered(self) -> Sequence[str]:
        return self.mechanisms if self.users else ()

    def _authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        username, password = data.login.decode(), data.password.decode()
        session.used_mechanism, session.used_name = mechanism, username
        return AuthResult(success=self.users.get(username) == password, handled=False)


class _Session:
    """aiosmtpd's hooks for one connection."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def handle_EHLO(  # noqa: N802  # aiosmtpd finds hooks by these names
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        hidden = {*self._server.hidden_extensions, *(() if self._server.users else ("AUTH",))}
        return [line for line in responses if line[4:].split()[0] not in hidden]

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if reply := self._server.refused.get(address):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 recipient ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self._server.offered += 1
        if reply := self._server.answer_data(envelope.original_content):
            return reply
        self._server.mails.append(
            ReceivedMail(
                reverse_path=envelope.mail_from,
                forward_paths=tuple(envelope.rcpt_tos),
                octets=envelope.original_content,
                mail_options=tuple(envelope.mail_options),
                helo=session.host_name,
                encrypted=session.ssl is not None or self._server.security == "tls",
                mechanism=getattr(session, "used_mechanism", ""),
                username=getattr(session, "used_name", ""),
            )
        )
        return f"250 2.0.0 queued as {len(self._server.mails)}"

    async def auth_CRAM__MD5(self, server: Any, args: list[str]) -> AuthResult:  # noqa: N802
        """RFC 2195: the answer is the name, a blank, and an HMAC of the challenge."""
        challenge = b"<1896.697170952@mail.test>"
        answer = (await server.challenge_auth(challenge)).decode()
        username, _, digest = answer.rpartition(" ")
        server.session.used_mechanism, server.session.used_name = "CRAM-MD5", username
        password = self._server.users.get(username)
        expected = hmac.new((password or "").encode(), challenge, hashlib.md5).hexdigest()
        is_known = password is not None and hmac.compare_digest(digest, expected)
        return AuthResult(success=is_known, handled=False)
