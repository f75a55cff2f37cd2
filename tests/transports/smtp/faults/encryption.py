"""Faults of TLS: of STARTTLS, of the handshake, of the certificate."""

from __future__ import annotations

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    PermanentFailure,
    TimedOut,
    TlsFailed,
    TransientFailure,
)
from prefect_smtp_relay.transports.smtp import Security

from .advice import (
    DOMAIN,
    IN_CLEAR,
    LATER,
    NO_CIPHER,
    NO_RELAY,
    NO_TLS,
    OTHER_NAME,
    OTHER_PORT,
    OWN_CA,
    RENEW,
    SPEAKS_PLAIN,
    SWITCHES,
    TAMPERING,
    UPDATE,
)
from .scenario import ENCRYPTED, SHORT, STARTTLS, UPGRADED, Scenario

DIRECT = {"security": Security.DIRECT, "mechanism": "plain"}
EITHER = {"security": Security.DIRECT_OR_STARTTLS, "mechanism": "plain"}
IF_OFFERED = {"security": Security.STARTTLS_IF_OFFERED, "mechanism": "plain"}
VERIFIED = {**UPGRADED, "verify_peer": True}
VERIFIED_NAME = {**VERIFIED, "address": "localhost"}
VERIFIED_DIRECT = {**DIRECT, "verify_peer": True}
GO = f"{STARTTLS}S: 220 2.0.0 go on\n"
STRIPPED = "S: 220 mx.test\nEHLO SIZE 0, AUTH PLAIN"
OLD_HELLO = r"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01" + "r" * 32 + r"\x00\x00\x2f\x00"
"""The answer of a server that chooses TLS 1.0, and would go on (RFC 2246, section 7.4.1.3)."""

# One row a line, as far as it goes.
# fmt: off
STARTING = [
    Scenario("starttls-stripped", STRIPPED, TlsFailed, "STARTTLS", "does not offer STARTTLS",
             NO_TLS, settings=UPGRADED),
    Scenario("starttls-stripped-either", ("S: 220 mx.test", STRIPPED), TlsFailed, "STARTTLS",
             "does not offer STARTTLS", NO_TLS, settings=EITHER),
    Scenario("starttls-454", STARTTLS + "S: 454 4.7.0 not now", TransientFailure, "STARTTLS",
             "454 4.7.0 not now", LATER, settings=UPGRADED),
    Scenario("starttls-502", STARTTLS + "S: 502 5.5.1 what?", TlsFailed, "STARTTLS",
             "502 5.5.1 what?", OTHER_PORT, settings=UPGRADED),
    Scenario("starttls-554-if-offered", STARTTLS + "S: 554 5.7.3 no", TlsFailed, "STARTTLS",
             "554 5.7.3 no", OTHER_PORT, settings=IF_OFFERED),
    Scenario("starttls-garbage", STARTTLS + "S: hello", TlsFailed, "STARTTLS", "'hello'",
             TAMPERING, settings=UPGRADED),
    Scenario("starttls-silence", STARTTLS + "SILENCE", TimedOut, "STARTTLS", "in time", OTHER_PORT,
             settings=UPGRADED, timeout=SHORT),
    Scenario("starttls-fin", STARTTLS, ConnectionFailed, "STARTTLS", "closed the connection",
             OTHER_PORT, settings=UPGRADED),
    Scenario("starttls-rst", STARTTLS + "RESET", ConnectionFailed, "STARTTLS", "connection",
             OTHER_PORT, settings=UPGRADED),
    Scenario("starttls-glued", STARTTLS + r"RAW 220 go\r\n250-mx\r\n250 AUTH PLAIN\r\n", TlsFailed,
             "STARTTLS", "more after it", TAMPERING, settings=UPGRADED),
]
HANDSHAKE = [
    Scenario("handshake-in-clear", GO + "HEAR\nS: 250 in clear", TlsFailed, "STARTTLS",
             "plain text", IN_CLEAR, settings=UPGRADED),
    Scenario("handshake-in-clear-if-offered", GO + "HEAR\nS: 250 in clear", TlsFailed, "STARTTLS",
             "plain text", IN_CLEAR, settings=IF_OFFERED),
    Scenario("handshake-fin", GO, ConnectionFailed, "STARTTLS", "", OTHER_PORT, settings=UPGRADED),
    Scenario("handshake-rst", GO + "HEAR\nRESET", ConnectionFailed, "STARTTLS", "connection",
             OTHER_PORT, settings=UPGRADED),
    Scenario("handshake-silence", GO + "SILENCE", TimedOut, "STARTTLS", "in time", OTHER_PORT,
             settings=UPGRADED, timeout=SHORT),
    Scenario("tls-1.0", GO + "TLS", TlsFailed, "STARTTLS", "only TLS older than 1.2", UPDATE,
             settings=UPGRADED, certificate="tls-1.0"),
    Scenario("tls-1.0-direct", "TLS", TlsFailed, "TLS", "only TLS older than 1.2", UPDATE,
             settings=DIRECT, certificate="tls-1.0"),
    Scenario("tls-1.0-hello", f"{GO}HEAR\nRAW {OLD_HELLO}", TlsFailed, "STARTTLS",
             "only TLS older than 1.2", UPDATE, settings=UPGRADED),
    Scenario("tls-no-cipher", GO + "TLS", TlsFailed, "STARTTLS", "no cipher in common", NO_CIPHER,
             settings=UPGRADED, certificate="no-cipher"),
    Scenario("fin-under-tls", ENCRYPTED + "C: EHLO", ConnectionFailed, "EHLO",
             "closed the connection", NO_RELAY, settings=UPGRADED),
    Scenario("rst-under-tls", ENCRYPTED + "C: EHLO\nRESET", ConnectionFailed, "EHLO", "connection",
             NO_RELAY, settings=UPGRADED),
    Scenario("554-under-tls", ENCRYPTED + "C: EHLO\nS: 554 5.7.1 no", PermanentFailure, "EHLO",
             "554 5.7.1 no", DOMAIN, settings=UPGRADED),
]
DIRECT_TLS = [
    Scenario("direct-tls-to-plain", "S: 220 mx.test", TlsFailed, "TLS", "in plain text",
             SPEAKS_PLAIN, settings=DIRECT),
    Scenario("plain-to-direct-tls", ("TLS\nS: 220 mx.test",) * 2, TlsFailed, "greeting",
             "waits for TLS", "*Force STARTTLS* (`enable_starttls`) off.", timeout=SHORT),
    Scenario("direct-tls-fin", "", ConnectionFailed, "TLS", "", SWITCHES, settings=DIRECT),
    Scenario("direct-tls-rst", "HEAR\nRESET", ConnectionFailed, "TLS", "", SWITCHES,
             settings=EITHER),
    Scenario("direct-tls-silence", "SILENCE", TimedOut, "TLS", "in time", SWITCHES,
             settings=EITHER, timeout=SHORT),
    Scenario("direct-tls-421", ("S: 421 4.3.2 busy",) * 2, TransientFailure, "greeting",
             "421 4.3.2 busy", LATER, settings=EITHER),
]
CERTIFICATE = [
    Scenario("certificate-expired", GO + "TLS", TlsFailed, "STARTTLS", "expired", RENEW,
             settings=VERIFIED, certificate="expired"),
    Scenario("certificate-of-another-name", GO + "TLS", TlsFailed, "STARTTLS",
             "not valid for 'localhost'", OTHER_NAME, settings=VERIFIED_NAME,
             certificate="other-host"),
    Scenario("certificate-of-another-address", GO + "TLS", TlsFailed, "STARTTLS",
             "not valid for '127.0.0.1'", OTHER_NAME, settings=VERIFIED, certificate="other-host"),
    Scenario("certificate-unknown-ca", GO + "TLS", TlsFailed, "STARTTLS", "local issuer", OWN_CA,
             settings=VERIFIED, certificate="unknown-ca"),
    Scenario("certificate-self-signed", GO + "TLS", TlsFailed, "STARTTLS", "self-signed", OWN_CA,
             settings=VERIFIED_NAME, certificate="self-signed"),
    Scenario("certificate-expired-direct", "TLS", TlsFailed, "TLS", "expired", RENEW,
             settings=VERIFIED_DIRECT, certificate="expired"),
]
# fmt: on
SCENARIOS = STARTING + HANDSHAKE + DIRECT_TLS + CERTIFICATE
