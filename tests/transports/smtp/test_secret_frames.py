"""No frame of a traceback shows a credential, as tools that print local variables would."""

from __future__ import annotations

import traceback
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp import Credentials, Security, SmtpConfig
from tests.frames import shown_in_frames

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

CANARY = "canary-5b1e-p\u00e4ss"
SPELLINGS = [
    CANARY,
    b64encode(CANARY.encode()).decode(),
    b64encode(f"\0ann\0{CANARY}".encode()).decode(),
    repr(CANARY.encode())[2:-1],
]
GREETS = "S: 220 mx\nC: EHLO\nS: 250-mx\nS: 250 AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 XOAUTH2\n"
FAULTS = {
    "refused": "C: AUTH\nS: 535 5.7.8 no",
    "later": "C: AUTH\nS: 454 4.7.0 later",
    "lost": "C: AUTH",
    "reset": "C: AUTH\nRESET",
    "no-reply": "C: AUTH\nS: what?",
    "challenge": "C: AUTH\nS: 334 !!!",
    "more-challenges": "C: AUTH\nS: 334 abcd\nC: \nS: 334 abcd\nC: \nS: 535 no",
    "silence": "C: AUTH\nSILENCE",
    "closed-before": "CLOSE",
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mechanism", ["plain", "login", "cram_md5", "scram_sha_256", "xoauth2"])
def test_no_local_variable_shows_the_password(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    account: Callable[..., Credentials],
    mechanism: str,
    fault: str,
) -> None:
    """Whatever goes wrong in a login, in any of its steps."""
    server = play(f"{GREETS}{FAULTS[fault]}")
    secret = CANARY.replace("\u00e4", "a") if mechanism == "xoauth2" else CANARY
    settings = {"mechanism": mechanism, "timeout_seconds": 0.5}
    with pytest.raises(EmailError) as caught:
        submit(server, credentials=account("ann", secret), **settings)
    shown = list(shown_in_frames(caught.value))
    assert shown
    spellings = [*SPELLINGS, secret]
    assert [text for text in shown if any(spelling in text for spelling in spellings)] == []


def test_a_write_that_fails_under_tls(
    start_tls: Callable[..., MailServer],
    submit: Callable[..., Receipt],
    account: Callable[..., Credentials],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The standard library keeps what it writes in a frame of its own, which is left out."""
    import ssl

    real = ssl.SSLSocket.send

    def send(sock: ssl.SSLSocket, data: bytes, flags: int = 0) -> int:
        if data.startswith(b"AUTH"):
            raise BrokenPipeError(32, "broken")
        return real(sock, data, flags)

    monkeypatch.setattr(ssl.SSLSocket, "send", send)
    server = start_tls(users={"ann": CANARY})
    with pytest.raises(EmailError) as caught:
        submit(server, security=Security.STARTTLS, credentials=account("ann", CANARY))
    frames = [f for e in (caught.value, caught.value.__cause__) if e
              for f, _ in traceback.walk_tb(e.__traceback__)]  # fmt: skip
    locals_ = [repr(v) for f in frames[1:] for v in f.f_locals.values()]
    assert [text for text in locals_ if any(spelling in text for spelling in SPELLINGS)] == []


def test_no_dataclass_shows_a_password() -> None:
    """A configuration, and the mail server for tests, show names only."""
    credentials = Credentials(SecretStr("ann"), SecretStr(CANARY))
    config = SmtpConfig("mx", credentials=credentials, client_key=SecretStr(CANARY))
    assert CANARY not in repr(config) + repr(MailServer(users={"ann": CANARY}))
