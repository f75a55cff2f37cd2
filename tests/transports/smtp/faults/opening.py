"""Faults before the first command, and servers of other protocols."""

from __future__ import annotations

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    PermanentFailure,
    RelayConfigurationError,
    TimedOut,
    TransientFailure,
    UnknownHost,
)

from .advice import (
    BROKEN,
    DNS,
    DOMAIN,
    FIREWALL,
    HOST_NAME,
    LATER,
    MAIL_PORT,
    NO_RELAY,
    PLACE,
    SILENT,
    SLOW,
)
from .scenario import SHORT, Scenario

HELLO = "S: 220 mx.test\nC: EHLO\n"
NOWHERE = {"address": "mx.no-such-host.invalid"}
NO_NAME, LONG_NAME = {"address": "mx..example.org"}, {"address": "x" * 64 + ".org"}

# One row a line, as far as it goes.
# fmt: off
CONNECTING = [
    Scenario("nobody-listens", (), ConnectionFailed, "connect", "refused", FIREWALL),
    Scenario("no-such-host", (), UnknownHost, "connect", "not known", DNS, settings=NOWHERE),
    Scenario("no-host-name", (), RelayConfigurationError, "", "", HOST_NAME, settings=NO_NAME),
    Scenario("long-label", (), RelayConfigurationError, "", "", HOST_NAME, settings=LONG_NAME),
    Scenario("reset-at-once", "RESET", ConnectionFailed, "connect|greeting",
             "heck *Address* (`address`) and *Port* (`port`)"),
]
GREETING = [
    Scenario("greeting-silence", ("SILENCE",) * 2, TimedOut, "greeting", "in time", SILENT,
             timeout=SHORT),
    Scenario("greeting-drip", "DRIP 220 mx", TimedOut, "greeting", "time", SILENT, timeout=SHORT),
    Scenario("greeting-line-by-line", "REPEAT\nS: 220-wait\nWAIT 0.05\nEND", TimedOut, "greeting",
             "in time", SILENT, timeout=SHORT),
    Scenario("greeting-flood", "FLOOD 3", PermanentFailure, "greeting", "more than 8192", PLACE),
    Scenario("greeting-endless", "REPEAT\nS: 220-more\nEND", PermanentFailure, "greeting",
             "more than 200 lines", PLACE),
    Scenario("greeting-421", "S: 421 4.3.2 no", TransientFailure, "greeting", "421 4.3.2 no",
             LATER),
    Scenario("greeting-554", "S: 554 5.7.1 go away", PermanentFailure, "greeting",
             "554 5.7.1 go away", NO_RELAY),
    Scenario("greeting-fin", "", ConnectionFailed, "greeting", "closed the connection", PLACE),
    Scenario("greeting-rst", "WAIT 0.1\nRESET", ConnectionFailed, "greeting", "connection", PLACE),
    Scenario("greeting-half", "RAW 220 mx", ConnectionFailed, "greeting", "closed", PLACE),
    Scenario("greeting-354", "S: 354 go on", PermanentFailure, "greeting", "354 go on", PLACE),
    Scenario("greeting-999", "S: 999 hi", PermanentFailure, "greeting", "'999 hi", PLACE),
]
EHLO = [
    Scenario("ehlo-silence", HELLO + "SILENCE", TimedOut, "EHLO", "in time", SLOW, timeout=SHORT),
    Scenario("ehlo-drip", HELLO + "DRIP 250-m", TimedOut, "EHLO", "in time", SLOW, timeout=SHORT),
    Scenario("ehlo-fin", HELLO, ConnectionFailed, "EHLO", "closed the connection", NO_RELAY),
    Scenario("ehlo-rst", HELLO + "RESET", ConnectionFailed, "EHLO", "connection", NO_RELAY),
    Scenario("ehlo-garbage", HELLO + "S: hi", ConnectionFailed, "EHLO", "'hi'", BROKEN),
    Scenario("ehlo-554", HELLO + "S: 554 5.7.1 no", PermanentFailure, "EHLO", "554 5.7.1 no",
             DOMAIN),
    Scenario("ehlo-501", HELLO + "S: 501 5.5.4 no", PermanentFailure, "EHLO", "501 5.5.4 no",
             DOMAIN),
    Scenario("ehlo-451", HELLO + "S: 451 4.3.0 no", TransientFailure, "EHLO", "451 4.3.0 no",
             LATER),
    Scenario("ehlo-421", HELLO + "S: 421 4.7.0 no", TransientFailure, "EHLO", "421 4.7.0 no",
             LATER),
    Scenario("ehlo-354", HELLO + "S: 354 go", PermanentFailure, "EHLO", "354 go", BROKEN),
    Scenario("helo-550", HELLO + "S: 502 5.5.1 what?\nC: HELO\nS: 550 5.7.1 no", PermanentFailure,
             "EHLO", "550 5.7.1 no", DOMAIN),
]
OTHER_SERVERS = [
    Scenario("ssh", "S: SSH-2.0-OpenSSH_9.2", PermanentFailure, "greeting", "an SSH server",
             MAIL_PORT),
    Scenario("imap", "S: * OK ready", PermanentFailure, "greeting", "an IMAP server", MAIL_PORT),
    Scenario("imap-busy", "S: * BYE", PermanentFailure, "greeting", "an IMAP server", MAIL_PORT),
    Scenario("pop3", "S: +OK ready", PermanentFailure, "greeting", "a POP3 server", MAIL_PORT),
    Scenario("pop3-busy", "S: -ERR busy", PermanentFailure, "greeting", "a POP3 server", MAIL_PORT),
    Scenario("http", "S: HTTP/1.1 400 Bad", PermanentFailure, "greeting", "a web server",
             MAIL_PORT),
    Scenario("http-that-waits", ("HEAR",) * 2, TimedOut, "greeting", "in time", SILENT,
             timeout=SHORT),
    Scenario("ftp", "S: 220 FTP\nC: EHLO\nS: 500 unknown\nC: HELO\nS: 502 no HELO",
             PermanentFailure, "EHLO", "502 no HELO", MAIL_PORT),
    Scenario("vsftpd", "S: 220 (vsFTPd 3.0.3)\nC: EHLO\nS: 530 Please login with USER and PASS.",
             PermanentFailure, "EHLO", "530 Please login with USER and PASS.", MAIL_PORT),
    Scenario("tls-alert", r"RAW \x15\x03\x03\x00\x02\x02\x46", ConnectionFailed, "greeting",
             "closed the connection", PLACE),
    Scenario("tls-alert-10", r"RAW \x15\x03\x03\x00\x02\x02\x0a", PermanentFailure, "greeting",
             "TLS from the first byte", "switch *SSL* (`ssl`) on."),
    Scenario("tls-record", r"RAW \x16\x03\x03\x00\x2a\x02\x00\x0a\xff\xfe", PermanentFailure,
             "greeting", "TLS from the first byte", "switch *SSL* (`ssl`) on."),
    Scenario("random", r"RAW \x00\xff\xfe\x9c\x01\r\n", PermanentFailure, "greeting", r"\x00",
             PLACE),
    Scenario("blank", "S: ", PermanentFailure, "greeting", "''", PLACE),
]
# fmt: on
SCENARIOS = CONNECTING + GREETING + EHLO + OTHER_SERVERS
