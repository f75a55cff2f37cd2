"""Replies that break the grammar (RFC 5321, section 4.2), and odd ones that are tolerated."""

from __future__ import annotations

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    OutcomeUnknown,
    PermanentFailure,
    TransientFailure,
)

from .advice import BROKEN, LATER, SENDER, UNKNOWN
from .scenario import BODY, MAIL, RCPT, REST, STORED, Scenario

SERVED = "\nC: RCPT\nS: 250 2.1.5 ok\nC: DATA\nS: 354 go on\nSTORE\nS: 250 2.0.0 queued\nSERVE"
QUEUED = "250 2.0.0 queued"
STEPS = ("stepwise",)
GLUED = r"RAW 250 2.1.0 ok\r\n"

# One row a line, as far as it goes.
# fmt: off
BROKEN_REPLIES = [
    Scenario(f"mail-{name}", MAIL + reply + REST, ConnectionFailed, "MAIL", says, BROKEN)
    for name, reply, says in [
        ("two-digits", "S: 25 ok", "'25 ok'"),
        ("four-digits", "S: 2500 ok", "'2500 ok'"),
        ("no-code", "S: ok", "'ok'"),
        ("no-space", "S: 250ok", "'250ok'"),
        ("blank", "S: ", "''"),
        ("codes-that-differ", "S: 250-one\nS: 550 other", ""),
        ("long-line", "RAW 250\\x20\nFLOOD 1", "more than 8192 bytes"),
        ("endless", "REPEAT\nS: 250-more\nEND", "more than 200 lines"),
        ("binary", r"RAW \x00\xff\r\n", r"\x00"),
    ]
] + [
    Scenario("final-two-digits", STORED + "S: 25 ok", OutcomeUnknown, "final reply", "'25 ok'",
             UNKNOWN, copies=1),
    Scenario("final-150", STORED + "S: 150 wait", OutcomeUnknown, "final reply", "'150 wait",
             UNKNOWN, copies=1),
    Scenario("mail-150", MAIL + "S: 150 wait" + REST, ConnectionFailed, "MAIL", "'150 wait",
             BROKEN),
    Scenario("mail-999", MAIL + "S: 999 hi" + REST, ConnectionFailed, "MAIL", "'999 hi", BROKEN),
]
ODD_REFUSALS = [
    Scenario("mail-control-bytes",
             MAIL + r"RAW 550-5.7.1 \x1b[2J\x07one\r\n550 5.7.1 t\x00wo\r\n" + REST,
             PermanentFailure, "MAIL", r"550 5.7.1 \x1b[2J\x07one t\x00wo. ", SENDER),
    Scenario("mail-8-bit", MAIL + r"RAW 550 5.7.1 \xc3\xa9t\xc3\xa9 \xff\xfe\r\n" + REST,
             PermanentFailure, "MAIL", "550 5.7.1 été \ufffd\ufffd", SENDER),
    Scenario("mail-500-bytes", MAIL + f"S: 550 5.7.1 {'x' * 5000}" + REST, PermanentFailure,
             "MAIL", f"550 5.7.1 {'x' * 500}. ", SENDER),
]
TOLERATED = [
    Scenario(f"tolerated-{name}", MAIL + reply + SERVED, says=QUEUED, copies=1)
    for name, reply in [
        ("no-text", "S: 250"),
        ("control-bytes", r"RAW 250 2.1.0 \x00\x1b[2J\r\n"),
        ("8-bit", r"RAW 250 2.1.0 \xff\xfe\r\n"),
        ("bare-lf", r"RAW 250-2.1.0\n250 ok\n"),
        ("single-bytes", "RAW 2\nRAW 5\nRAW 0\nRAW \\x20\nRAW o\nRAW k\nRAW \\r\nRAW \\n"),
        ("600-bytes", f"S: 250 {'x' * 600}"),
        ("other-2yz", "S: 259 fine"),
        ("no-text-behind-hyphen", "S: 250-\nS: 250"),
    ]
] + [
    Scenario("tolerated-response", STORED + r"RAW 250 2.0.0 \x1b[2J\xc3\xa9\r\n" + "SERVE",
             says=r"250 2.0.0 \x1b[2Jé", copies=1),
]
UNASKED = [
    # Step by step, a second reply is there before the next command is written: it answers nothing.
    Scenario("glued-250", MAIL + GLUED.replace("ok", r"ok\r\n250 unasked") + REST,
             ConnectionFailed, "MAIL|RCPT", "", BROKEN, kinds=STEPS),
    Scenario("glued-550", MAIL + GLUED.replace("ok", r"ok\r\n550 5.1.1 unasked") + REST,
             ConnectionFailed, "MAIL|RCPT", "", BROKEN, kinds=STEPS),
    Scenario("glued-421", MAIL + GLUED.replace("ok", r"ok\r\n421 4.3.2 closing"), TransientFailure,
             "MAIL|RCPT", "421 4.3.2 closing", LATER, kinds=STEPS),
    Scenario("glued-354", RCPT + r"RAW 250 ok\r\n354 unasked\r\n" + REST, ConnectionFailed,
             "RCPT|DATA", "", BROKEN, kinds=STEPS),
    Scenario("glued-final",
             BODY.replace("S: 354 go on", r"RAW 354 go on\r\n250 unasked\r\n") + "SILENCE",
             ConnectionFailed, "DATA|body", "", BROKEN),
]
# fmt: on
SCENARIOS = BROKEN_REPLIES + ODD_REFUSALS + TOLERATED + UNASKED
