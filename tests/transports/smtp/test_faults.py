"""What can go wrong on the wire: each fault has its class, its stage and its advice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    DeliveryError,
    OutcomeUnknown,
    PermanentFailure,
    TimedOut,
    TlsFailed,
    TransientFailure,
)
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.smtp import Security

if TYPE_CHECKING:
    from .scripted_server import ScriptedServer

HELLO = "S: 220 mx.test\nC: EHLO\nS: 250-mx.test\nS: 250 SIZE 0\n"
MAIL = HELLO + "C: MAIL FROM:<flows@example.org>\n"
RCPT = MAIL + "S: 250 ok\nC: RCPT TO:<ann@example.org>\n"
DATA = RCPT + "S: 250 ok\nC: DATA\n"
BODY = DATA + "S: 354 go on\nBODY\n"

ADMINISTRATOR, BUSY = "administrator", "asks to try again later"
FAULTS = {
    "greeting-421": ("S: 421 4.3.2 busy", TransientFailure, "greeting", f"busy. The relay {BUSY}"),
    "greeting-554": ("S: 554 5.7.1 go away", PermanentFailure, "greeting", "go away. The relay"),
    "greeting-silence": ("SILENCE", TimedOut, "greeting", "expects TLS from the first byte"),
    "greeting-fin": ("", ConnectionFailed, "greeting", "closed the connection. The server said"),
    "greeting-http": ("S: HTTP/1.1 400 Bad", PermanentFailure, "greeting", "no SMTP server"),
    "greeting-flood": ("FLOOD 2", PermanentFailure, "greeting", "more than 8192 octets"),
    "greeting-drip": ("DRIP 220 mx", TimedOut, "greeting", "no answer in time"),
    "greeting-endless": ("S: 220-a\n" * 300, PermanentFailure, "greeting", "200 lines"),
    "greeting-one-digit": ("S: 2 mx.test", PermanentFailure, "greeting", "no SMTP server"),
    "greeting-blank": ("S: ", PermanentFailure, "greeting", "no SMTP server"),
    "greeting-binary": ("RAW \\x00\\x01\\x02\\r\\n", PermanentFailure, "greeting", "\\x00"),
    "ehlo-554": ("S: 220 x\nC: EHLO\nS: 554 5.7.1 no", PermanentFailure, "EHLO", "set `domain`"),
    "ehlo-451": ("S: 220 x\nC: EHLO\nS: 451 4.3.0 wait", TransientFailure, "EHLO", BUSY),
    "ehlo-garbage": ("S: 220 x\nC: EHLO\nS: hi", ConnectionFailed, "EHLO", "breaks the protocol"),
    "ehlo-drip": ("S: 220 x\nC: EHLO\nDRIP 250-mx", TimedOut, "EHLO", "`timeout_seconds`"),
    "mail-451": (MAIL + "S: 451 4.3.0 wait", TransientFailure, "MAIL", BUSY),
    "mail-421": (MAIL + "S: 421 4.3.2 closing", TransientFailure, "MAIL", BUSY),
    "mail-550": (MAIL + "S: 550 5.7.1 not you", PermanentFailure, "MAIL", "set `from_address`"),
    "mail-530-auth": (MAIL + "S: 530 5.7.0 log in", PermanentFailure, "MAIL", "set `username`"),
    "mail-530-tls": (MAIL + "S: 530 5.7.0 STARTTLS first", PermanentFailure, "MAIL", "`ssl` or"),
    "mail-552": (MAIL + "S: 552 5.3.4 too big", PermanentFailure, "MAIL", "link to the files"),
    "mail-fin": (MAIL, ConnectionFailed, "MAIL", "closed the connection"),
    "mail-silence": (MAIL + "SILENCE", TimedOut, "MAIL", "no answer in time"),
    "mail-354": (MAIL + "S: 354 what", PermanentFailure, "MAIL", "354 what"),
    "rcpt-421": (RCPT + "S: 421 4.3.2 closing", TransientFailure, "RCPT", BUSY),
    "rcpt-fin": (RCPT, ConnectionFailed, "RCPT", "closed the connection"),
    "data-554": (DATA + "S: 554 5.5.1 no", PermanentFailure, "DATA", ADMINISTRATOR),
    "data-451": (DATA + "S: 451 4.3.0 wait", TransientFailure, "DATA", BUSY),
    "data-250": (DATA + "S: 250 ok", PermanentFailure, "DATA", "250 ok"),
    "data-fin": (DATA, ConnectionFailed, "DATA", "closed the connection"),
    "final-451": (BODY + "S: 451 4.3.0 wait", TransientFailure, "final reply", BUSY),
    "final-554": (BODY + "S: 554 5.7.1 spam", PermanentFailure, "final reply", "the content"),
    "final-fin": (BODY, OutcomeUnknown, "final reply", "before sending it by hand"),
    "final-rst": (BODY + "RESET", OutcomeUnknown, "final reply", "may have been accepted"),
    "final-silence": (BODY + "SILENCE", OutcomeUnknown, "final reply", "no answer in time"),
    "final-drip": (BODY + "DRIP 250-ok", OutcomeUnknown, "final reply", "no answer in time"),
    "final-garbage": (BODY + "S: thanks", OutcomeUnknown, "final reply", "no SMTP reply"),
}
STARTTLS = "S: 220 mx.test\nC: EHLO\nS: 250-mx.test\nS: 250 STARTTLS\nC: STARTTLS\n"
TLS_FAULTS = {
    "454": ("S: 454 4.7.0 not now", TransientFailure, BUSY),
    "502": ("S: 502 5.5.1 what?", TlsFailed, "direct TLS (465)"),
    "garbage": ("S: hello", TlsFailed, "tampering"),
    "fin": ("", ConnectionFailed, "closed the connection"),
    "glued": ("RAW 220 go\\r\\n250 injected\\r\\n", TlsFailed, "tampering"),
    "not-tls": ("S: 220 go\nHEAR\nS: 250 in clear", TlsFailed, "TLS handshake"),
    "handshake-fin": ("S: 220 go\n", ConnectionFailed, ""),
    "handshake-silence": ("S: 220 go\nSILENCE", TimedOut, "no answer in time"),
}

TRANSIENT = (TransientFailure, OutcomeUnknown)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_faults(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    fault: tuple[str, type[DeliveryError], str, str],
) -> None:
    """Each fault of the server has its class, its stage, the server's words and an advice."""
    script, kind, stage, words = fault
    server = play(script)
    with pytest.raises(DeliveryError) as caught:
        submit(server, timeout_seconds=0.3)
    error = caught.value
    assert type(error) is kind
    assert error.stage == stage
    assert error.transient is issubclass(kind, TRANSIENT)
    assert words in str(error)
    assert str(error).startswith(f"smtp://127.0.0.1:{server.port} ({stage}): ")
    assert str(error).endswith(".")
    assert server.connections == 1


@pytest.mark.parametrize("fault", TLS_FAULTS.values(), ids=TLS_FAULTS.keys())
def test_faults_in_starttls(
    play: Callable[..., ScriptedServer],
    submit: Callable[..., Receipt],
    fault: tuple[str, type[DeliveryError], str],
) -> None:
    """A STARTTLS that goes wrong ends the session: nothing more is said in clear."""
    script, kind, words = fault
    server = play(STARTTLS + script)
    with pytest.raises(DeliveryError) as caught:
        submit(server, security=Security.STARTTLS, timeout_seconds=0.3)
    assert type(caught.value) is kind
    assert caught.value.stage == "STARTTLS"
    assert words in str(caught.value)
    assert b"MAIL" not in server.heard
