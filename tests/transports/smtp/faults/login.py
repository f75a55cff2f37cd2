"""Faults of AUTH: over TLS by PLAIN and LOGIN, without it by CRAM-MD5."""

from __future__ import annotations

from base64 import b64encode

from prefect_smtp_relay.exceptions import (
    AuthenticationFailed,
    ConnectionFailed,
    PermanentFailure,
    TimedOut,
    TransientFailure,
)

from .advice import (
    APP_PASSWORD,
    BROKEN,
    CHALLENGE,
    ENCRYPTION,
    LATER,
    LOGIN,
    NO_LOGIN,
    SENDER,
    SLOW_LOGIN,
)
from .scenario import ENCRYPTED, PASSWORD, SHORT, UPGRADED, USERNAME, Scenario

BY_LOGIN = {**UPGRADED, "mechanism": "login"}
HELLO = "S: 220 mx.test\nEHLO SIZE 0, "
OFFERS = ENCRYPTED + "EHLO AUTH PLAIN LOGIN\n"
AUTH = OFFERS + "C: AUTH PLAIN\n"
AUTH_LOGIN = OFFERS + "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC:\n"
CRAM = HELLO + "AUTH CRAM-MD5\nC: AUTH CRAM-MD5\n"
TOLD = b64encode(b"\0" + USERNAME.encode() + b"\0" + PASSWORD.encode()).decode()
ECHO = f"{TOLD} / {PASSWORD}"
NO_OFFER = "the server offers no authentication"

# One row a line, as far as it goes.
# fmt: off
SCENARIOS = [
    Scenario("auth-not-offered", "S: 220 mx.test\nEHLO SIZE 0\nANSWER 503 no",
             AuthenticationFailed, "AUTH", NO_OFFER, NO_LOGIN),
    Scenario("auth-not-offered-after-tls", ENCRYPTED + "EHLO SIZE 0\nANSWER 503 no",
             AuthenticationFailed, "AUTH", NO_OFFER, NO_LOGIN, settings=UPGRADED),
    Scenario("auth-by-helo",
             "S: 220 mx.test\nC: EHLO\nS: 502 no\nC: HELO\nS: 250 mx\nANSWER 503 no",
             AuthenticationFailed, "AUTH", NO_OFFER, NO_LOGIN),
    Scenario("auth-others-only", HELLO + "AUTH GSSAPI NTLM\nANSWER 503 no", AuthenticationFailed,
             "AUTH", "the server offers only GSSAPI, NTLM, which no block can be set to", ""),
    Scenario("auth-535", AUTH + "S: 535 5.7.8 not you\nANSWER 503 no", AuthenticationFailed,
             "AUTH", "535 5.7.8 not you", LOGIN, settings=UPGRADED),
    Scenario("auth-535-cram", CRAM + "S: 334 PDE+\nC:\nS: 535 5.7.8 not you\nANSWER 503 no",
             AuthenticationFailed, "AUTH", "535 5.7.8 not you", LOGIN),
    Scenario("auth-535-login",
             AUTH_LOGIN + "S: 334 UGFzc3dvcmQ6\nC:\nS: 535 5.7.8 no\nANSWER 503 no",
             AuthenticationFailed, "AUTH", "535 5.7.8 no", LOGIN, settings=BY_LOGIN),
    Scenario("auth-454", AUTH + "S: 454 4.7.0 directory down\nANSWER 503 no", TransientFailure,
             "AUTH", "454 4.7.0 directory down", LATER, settings=UPGRADED),
    Scenario("auth-421", AUTH + "S: 421 4.7.0 too many", TransientFailure, "AUTH",
             "421 4.7.0 too many", LATER, settings=UPGRADED),
    Scenario("auth-534", AUTH + "S: 534 5.7.9 no\nANSWER 503 no", AuthenticationFailed, "AUTH",
             "534 5.7.9 no", APP_PASSWORD, settings=UPGRADED),
    Scenario("auth-530-tls",
             CRAM + "S: 530 5.7.0 Must issue a STARTTLS command first\nANSWER 503 no",
             AuthenticationFailed, "AUTH", "530 5.7.0 Must issue a STARTTLS", ENCRYPTION),
    Scenario("auth-538", CRAM + "S: 538 5.7.11 Encryption required\nANSWER 503 no",
             AuthenticationFailed, "AUTH", "538 5.7.11 Encryption required", ENCRYPTION),
    Scenario("auth-504", CRAM + "S: 504 5.5.4 no such mechanism\nANSWER 503 no",
             AuthenticationFailed, "AUTH", "504 5.5.4 no such mechanism", LOGIN),
    Scenario("auth-fin", AUTH, ConnectionFailed, "AUTH", "closed the connection", LOGIN,
             settings=UPGRADED),
    Scenario("auth-rst", AUTH + "RESET", ConnectionFailed, "AUTH", "connection", LOGIN,
             settings=UPGRADED),
    Scenario("auth-fin-cram", CRAM + "S: 334 PDE+\nC:", ConnectionFailed, "AUTH", "closed", LOGIN),
    Scenario("auth-silence", AUTH + "SILENCE", TimedOut, "AUTH", "in time",
             SLOW_LOGIN, settings=UPGRADED, timeout=SHORT),
    Scenario("auth-drip", AUTH + "DRIP 235-wait", TimedOut, "AUTH", "in time",
             SLOW_LOGIN, settings=UPGRADED, timeout=SHORT),
    Scenario("auth-garbage", AUTH + "S: welcome", ConnectionFailed, "AUTH", "'welcome'", BROKEN,
             settings=UPGRADED),
    Scenario("auth-334-too-many", AUTH + "S: 334 PDE+\nANSWER 501 no", AuthenticationFailed,
             "AUTH", "334 PDE+", LOGIN, settings=UPGRADED),
    Scenario("auth-334-too-many-login", AUTH_LOGIN + "S: 334\nC:\nS: 334 more\nANSWER 501 no",
             AuthenticationFailed, "AUTH", "334 more", LOGIN, settings=BY_LOGIN),
    Scenario("auth-bad-base64", CRAM + "S: 334 not base64!\nANSWER 501 no", AuthenticationFailed,
             "AUTH", "not base64", CHALLENGE),
    Scenario("auth-354", AUTH + "S: 354 go on\nANSWER 501 no", AuthenticationFailed, "AUTH",
             "354 go on", LOGIN, settings=UPGRADED),
    Scenario("auth-535-echo", AUTH + f"S: 535 5.7.8 not {ECHO}\nANSWER 503 no",
             AuthenticationFailed, "AUTH", "535 5.7.8 not *** / ***", LOGIN, settings=UPGRADED),
    Scenario("auth-garbage-echo", AUTH + f"S: not {ECHO}", ConnectionFailed, "AUTH",
             "not *** / ***", BROKEN, settings=UPGRADED),
    Scenario("mail-550-echo", f"SESSION\nC: MAIL\nS: 550 5.7.1 not {PASSWORD}\nANSWER 503 no",
             PermanentFailure, "MAIL", "550 5.7.1 not ***.", SENDER),
]
# fmt: on
