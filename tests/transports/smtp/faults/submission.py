"""Faults of MAIL, RCPT and DATA, while nothing of the message has been written."""

from __future__ import annotations

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    MessageTooLarge,
    PermanentFailure,
    RecipientsRefused,
    TimedOut,
    TransientFailure,
)

from .advice import (
    BROKEN,
    CREDENTIALS,
    ENCRYPTION,
    GREYLISTED,
    HANGS_UP,
    LATER,
    RECIPIENTS,
    REFUSES,
    SENDER,
    SENDER_LOST,
    SIZE,
    SLOW,
)
from .scenario import DATA, MAIL, RCPT, REST, SHORT, Scenario

TWO = "ann@example.org, ben@example.org"
THREE = f"{TWO}, cat@example.org"
ANN, BEN, CAT = (address.strip() for address in THREE.split(","))
TO_BEN, TO_CAT = f"C: RCPT TO:<{BEN}>\n", f"C: RCPT TO:<{CAT}>\n"
OK, NOBODY, GREY = "S: 250 2.1.5 ok\n", "S: 550 5.1.1 nobody\n", "S: 451 4.7.1 greylisted\n"
TAKEN = "C: DATA\nS: 354 go on\nSTORE\nS: 250 2.0.0 queued\nSERVE"
NOT_NOW, NOT_EVER = "451 4.7.1 greylisted", "550 5.1.1 nobody"
EMPTY_DATA = "\nANSWER 503 5.5.1 no | DATA 354 go on | . 554 5.5.1 no valid recipients"

# One row a line, as far as it goes.
# fmt: off
MAIL_REFUSED = [
    Scenario("mail-451", MAIL + "S: 451 4.3.0 wait" + REST, TransientFailure, "MAIL",
             "451 4.3.0 wait", LATER),
    Scenario("mail-452", MAIL + "S: 452 4.3.1 disk full" + REST, TransientFailure, "MAIL",
             "452 4.3.1 disk full", LATER),
    Scenario("mail-421", MAIL + "S: 421 4.3.2 closing", TransientFailure, "MAIL",
             "421 4.3.2 closing", LATER),
    Scenario("mail-550", MAIL + "S: 550 5.7.1 not you" + REST, PermanentFailure, "MAIL",
             "550 5.7.1 not you", SENDER),
    Scenario("mail-552", MAIL + "S: 552 5.3.4 too big" + REST, PermanentFailure, "MAIL",
             "552 5.3.4 too big", SIZE),
    Scenario("mail-552-bare", MAIL + "S: 552 too big" + REST, PermanentFailure, "MAIL",
             "552 too big", SIZE),
    Scenario("mail-530", MAIL + "S: 530 5.7.0 log in" + REST, PermanentFailure, "MAIL",
             "530 5.7.0 log in", CREDENTIALS),
    Scenario("mail-530-tls", MAIL + "S: 530 5.7.0 Must issue a STARTTLS command first" + REST,
             PermanentFailure, "MAIL", "530 5.7.0 Must issue a STARTTLS", ENCRYPTION),
    Scenario("mail-354", MAIL + "S: 354 what" + REST, ConnectionFailed, "MAIL", ": 354 what",
             BROKEN),
    Scenario("mail-fin", MAIL, ConnectionFailed, "MAIL", "closed the connection", SENDER_LOST),
    Scenario("mail-rst", MAIL + "RESET", ConnectionFailed, "MAIL", "connection", SENDER_LOST),
    Scenario("mail-silence", MAIL + "SILENCE", TimedOut, "MAIL", "in time", SLOW, timeout=SHORT),
    Scenario("mail-garbage", MAIL + "S: hi" + REST, ConnectionFailed, "MAIL", "'hi'", BROKEN),
    Scenario("size-announced", "SESSION SIZE 100\nANSWER 503 no", MessageTooLarge, "",
             "takes 100. Attach less", "or link to the files."),
]
RCPT_REFUSED = [
    Scenario("rcpt-some-550", RCPT + OK + TO_BEN + NOBODY + TAKEN, says="250 2.0.0 queued", to=TWO,
             copies=1, refused={BEN: NOT_EVER}),
    Scenario("rcpt-some-451", RCPT + GREY + TO_BEN + OK + TAKEN, says="250 2.0.0 queued", to=TWO,
             copies=1, accepted=(BEN,), refused={ANN: NOT_NOW}),
    Scenario("rcpt-one-of-each", RCPT + NOBODY + TO_BEN + GREY + TO_CAT + OK + TAKEN, to=THREE,
             copies=1, accepted=(CAT,), refused={ANN: NOT_EVER, BEN: NOT_NOW}),
    Scenario("rcpt-251-252", RCPT + "S: 251 forwards\n" + TO_BEN + "S: 252 perhaps\n" + TAKEN,
             to=TWO, copies=1, accepted=(ANN, BEN)),
    Scenario("rcpt-452-after-one", RCPT + OK + TO_BEN + "S: 452 4.5.3 too many\n" + TAKEN, to=TWO,
             copies=2, accepted=(ANN, BEN)),
    Scenario("rcpt-all-550", RCPT + NOBODY + TO_BEN + NOBODY + REST, RecipientsRefused, "RCPT",
             f"{BEN}: {NOT_EVER}", RECIPIENTS, transient=False, to=TWO),
    Scenario("rcpt-all-451", RCPT + GREY + TO_BEN + GREY + REST, RecipientsRefused, "RCPT",
             f"{ANN}: {NOT_NOW}", GREYLISTED, transient=True, to=TWO),
    Scenario("rcpt-all-refused", RCPT + GREY + TO_BEN + NOBODY + REST, RecipientsRefused, "RCPT",
             f"{ANN}: {NOT_NOW}; {BEN}: {NOT_EVER}", RECIPIENTS, transient=False, to=TWO),
    Scenario("rcpt-all-refused-data-354", RCPT + NOBODY + EMPTY_DATA, RecipientsRefused, "RCPT",
             f"{ANN}: {NOT_EVER}", RECIPIENTS, transient=False),
    Scenario("rcpt-421", RCPT + OK + TO_BEN + "S: 421 4.3.2 closing", TransientFailure, "RCPT",
             "421 4.3.2 closing", LATER, to=THREE),
    Scenario("rcpt-fin", RCPT, ConnectionFailed, "RCPT", "closed the connection", HANGS_UP),
    Scenario("rcpt-fin-after-one", RCPT + OK + TO_BEN, ConnectionFailed, "RCPT",
             "closed the connection", HANGS_UP, to=TWO),
    Scenario("rcpt-rst", RCPT + "RESET", ConnectionFailed, "RCPT", "connection", HANGS_UP),
    Scenario("rcpt-silence", RCPT + "SILENCE", TimedOut, "RCPT", "in time", SLOW, timeout=SHORT),
    Scenario("rcpt-garbage", RCPT + "S: hi" + REST, ConnectionFailed, "RCPT", "'hi'", BROKEN),
]
DATA_REFUSED = [
    Scenario("data-451", DATA + "S: 451 4.3.0 wait" + REST, TransientFailure, "DATA",
             "451 4.3.0 wait", LATER),
    Scenario("data-421", DATA + "S: 421 4.3.2 closing", TransientFailure, "DATA",
             "421 4.3.2 closing", LATER),
    Scenario("data-554", DATA + "S: 554 5.5.1 no" + REST, PermanentFailure, "DATA", "554 5.5.1 no",
             REFUSES),
    Scenario("data-250", DATA + "S: 250 ok" + REST, ConnectionFailed, "DATA", ": 250 ok", BROKEN),
    Scenario("data-fin", DATA, ConnectionFailed, "DATA", "closed the connection", HANGS_UP),
    Scenario("data-rst", DATA + "RESET", ConnectionFailed, "DATA", "connection", HANGS_UP),
    Scenario("data-silence", DATA + "SILENCE", TimedOut, "DATA", "in time", SLOW, timeout=SHORT),
    Scenario("data-garbage", DATA + "S: hi" + REST, ConnectionFailed, "DATA", "'hi'", BROKEN),
]
# fmt: on
SCENARIOS = MAIL_REFUSED + RCPT_REFUSED + DATA_REFUSED
