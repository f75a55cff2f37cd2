"""The mail server of the testing package, with the mechanisms that aiosmtpd does not know."""

from __future__ import annotations

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
        initial_responses: what AUTH had behind the mechanism, decoded.
        farewells: what the client said to a refused token.
    """

    tokens: set[str] = field(default_factory=set)
    initial_responses: list[str] = field(default_factory=list)
    farewells: list[bytes] = field(default_factory=list)

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
        mechanism, names = ScramMechanism("SCRAM-SHA-256"), []

        def look_up(name: str) -> Any:
            names.append(name)
            return mechanism.make_auth_info(self.users[name])

        scram = mechanism.make_server(look_up)
        try:
            scram.set_client_first(b64decode(args[1]).decode())
            final = await server.challenge_auth(scram.get_server_first())
            scram.set_client_final(final.decode())
        except (ScramException, KeyError):
            return AuthResult(success=False, handled=False)
        assert await server.challenge_auth(scram.get_server_final()) == b""
        server.session.used_mechanism, server.session.used_name = args[0], names[0]
        return AuthResult(success=True)
