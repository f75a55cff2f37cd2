"""The mail server of the testing package, with the mechanisms that aiosmtpd does not know."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, _AuthMechAttr
from scramp import ScramException, ScramMechanism

from prefect_smtp_relay.testing.mail_server import MailServer
from tests.transports.sendgrid.api_server import Answer, reply

_TOKEN = re.compile(r"\x01auth=Bearer ([!-~]*)\x01\x01$")
_NAME = re.compile(r"^(?:user=|n,a=)([^\x01]*?),?\x01")


def grant(token: str, **fields: Any) -> Answer:
    """Answer as a token endpoint that grants this access token."""
    granted = {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
    return reply(200, json.dumps({**granted, **fields}), content_type="application/json")


def deny(status: int, error: str, description: str = "") -> Answer:
    """Answer as a token endpoint that grants nothing."""
    return reply(status, json.dumps({"error": error, "error_description": description}))


@dataclass
class SaslServer(MailServer):
    """Takes access tokens, and SCRAM for the users' passwords.

    Args:
        tokens: those that are good, for anybody.
        initial_responses: what AUTH had after the mechanism, decoded.
        prepares: whether SCRAM's keys are made of the prepared password, as RFC 5802 wants.
        scram_logins: the names of all who tried.
        farewells: what the client said to a refused token.
    """

    tokens: set[str] = field(default_factory=set)
    initial_responses: list[str] = field(default_factory=list)
    farewells: list[bytes] = field(default_factory=list)
    prepares: bool = True
    scram_logins: list[str] = field(default_factory=list)

    def _connect(self) -> SMTP:
        connection = super()._connect()
        for name, method in {
            "XOAUTH2": self._take_token,
            "OAUTHBEARER": self._take_token,
            "SCRAM-SHA-256": self._take_scram,
        }.items():
            connection._auth_methods[name] = _AuthMechAttr(method, is_builtin=False)
        return connection

    async def _take_token(self, server: Any, args: list[str]) -> AuthResult:
        """RFC 7628, section 3.2.3, and Google's page on XOAUTH2: JSON, an answer, 535."""
        response = b64decode(args[1]).decode()
        self.initial_responses.append(response)
        token, name = _TOKEN.search(response), _NAME.search(response)
        assert token
        assert name
        if token[1] in self.tokens:
            server.session.used_mechanism, server.session.used_name = args[0], name[1]
            return AuthResult(success=True)
        refusal = {"status": "401", "schemes": "bearer", "scope": "https://mail.test/"}
        self.farewells.append(await server.challenge_auth(json.dumps({**refusal, "got": token[1]})))
        return AuthResult(success=False, handled=False)

    async def _take_scram(self, server: Any, args: list[str]) -> AuthResult:
        scram = ScramMechanism("SCRAM-SHA-256").make_server(self._look_up)
        try:
            scram.set_client_first(b64decode(args[1]).decode())
            final = await server.challenge_auth(scram.get_server_first())
            scram.set_client_final(final.decode())
        except (ScramException, KeyError):
            return AuthResult(success=False, handled=False)
        assert await server.challenge_auth(scram.get_server_final()) == b""
        server.session.used_mechanism = args[0]
        server.session.used_name = self.scram_logins[-1]
        return AuthResult(success=True)

    def _look_up(self, name: str) -> tuple[bytes, bytes, bytes, int]:
        """Give salt, stored key, server key and iterations (RFC 5802, section 3)."""
        self.scram_logins.append(name)
        password = self.users[name]
        if self.prepares:
            salt, stored, key, iterations = ScramMechanism("SCRAM-SHA-256").make_auth_info(password)
            return salt, stored, key, iterations
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b"0123456789abcdef", 4096)
        stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
        return b"0123456789abcdef", stored, hmac.digest(salted, b"Server Key", "sha256"), 4096
