"""Faults in the message itself and after its final dot, and of QUIT."""

from __future__ import annotations

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    OutcomeUnknown,
    PermanentFailure,
    TimedOut,
    TransientFailure,
)

from .advice import (
    CONTENT,
    LATER,
    SIZE,
    UNKNOWN,
)
from .scenario import BODY, REST, SHORT, STORED, Scenario

BIG = 16_000_000
"""More than the socket buffers hold, so that the client is in the body for sure."""
SOME = BODY + "DRAIN 100000\n"
TAKEN = STORED + "S: 250-2.0.0 queued\nS: 250 as 4711\nC: QUIT\n"
QUEUED = "250 2.0.0 queued as 4711"

# One row a line, as far as it goes.
# fmt: off
IN_THE_BODY = [
    Scenario("body-rst", SOME + "RESET", ConnectionFailed, "body", "connection", SIZE,
             attached=BIG),
    Scenario("body-close", SOME + "CLOSE", ConnectionFailed, "body", "", SIZE, attached=BIG),
    Scenario("body-stall", SOME + "STALL", TimedOut, "body", "in time", "or attach less.",
             attached=BIG, timeout=SHORT),
    Scenario("body-552-fin", SOME + "S: 552 5.3.4 too big", PermanentFailure, "body|final reply",
             "552 5.3.4 too big", SIZE, attached=BIG),
    Scenario("body-552-rst", SOME + "S: 552 5.3.4 too big\nRESET", PermanentFailure,
             "body|final reply", "552 5.3.4 too big", SIZE, attached=BIG),
    Scenario("body-421-close", SOME + "S: 421 4.3.2 closing\nCLOSE", TransientFailure,
             "body|final reply", "421 4.3.2 closing", LATER, attached=BIG),
]
AFTER_THE_DOT = [
    Scenario("final-451", BODY + "BODY\nS: 451 4.3.0 wait" + REST, TransientFailure, "final reply",
             "451 4.3.0 wait", LATER),
    Scenario("final-421", BODY + "BODY\nS: 421 4.3.2 closing", TransientFailure, "final reply",
             "421 4.3.2 closing", LATER),
    Scenario("final-554", BODY + "BODY\nS: 554 5.7.1 spam" + REST, PermanentFailure, "final reply",
             "554 5.7.1 spam", CONTENT),
    Scenario("final-552", BODY + "BODY\nS: 552 5.3.4 too big" + REST, PermanentFailure,
             "final reply", "552 5.3.4 too big", SIZE),
    Scenario("final-552-blocked", BODY + "BODY\nS: 552 5.7.0 blocked" + REST, PermanentFailure,
             "final reply", "552 5.7.0 blocked", CONTENT),
    Scenario("final-fin", STORED, OutcomeUnknown, "final reply", "closed the connection", UNKNOWN,
             copies=1),
    Scenario("final-rst", STORED + "RESET", OutcomeUnknown, "final reply", "connection", UNKNOWN,
             copies=1),
    Scenario("final-rst-not-stored", BODY + "BODY\nRESET", OutcomeUnknown, "final reply",
             "may have been accepted", UNKNOWN),
    Scenario("final-silence", STORED + "SILENCE", OutcomeUnknown, "final reply", "in time",
             UNKNOWN, copies=1, timeout=SHORT),
    Scenario("final-drip", STORED + "DRIP 250-ok", OutcomeUnknown, "final reply", "in time",
             UNKNOWN, copies=1, timeout=SHORT),
    Scenario("final-garbage", STORED + "S: thanks", OutcomeUnknown, "final reply", "'thanks'",
             UNKNOWN, copies=1),
    Scenario("final-354", STORED + "S: 354 go on", OutcomeUnknown, "final reply", "354 go on",
             UNKNOWN, copies=1),
]
AFTER_ACCEPTANCE = [
    Scenario("quit-silence", TAKEN + "SILENCE", says=QUEUED, copies=1, timeout=SHORT),
    Scenario("quit-drip", TAKEN + "DRIP 221", says=QUEUED, copies=1, timeout=SHORT),
    Scenario("quit-fin", TAKEN, says=QUEUED, copies=1),
    Scenario("quit-rst", TAKEN + "RESET", says=QUEUED, copies=1),
    Scenario("quit-500", TAKEN + "S: 500 what?", says=QUEUED, copies=1),
    Scenario("quit-garbage", TAKEN + "S: bye", says=QUEUED, copies=1),
    Scenario("accepted-then-reset", STORED + "S: 250 2.0.0 ok\nRESET", says="250 2.0.0 ok",
             copies=1),
    Scenario("accepted-then-421", STORED + "S: 250 2.0.0 ok\nS: 421 bye", says="250 2.0.0 ok",
             copies=1),
]
# fmt: on
SCENARIOS = IN_THE_BODY + AFTER_THE_DOT + AFTER_ACCEPTANCE
