"""Who is measured where; who is not installed is left out."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from benchmarks.rounds import Contestant
from benchmarks.smtp import others, ours
from benchmarks.smtp.sink import find_postfix_program

PREFECT_EMAIL = Contestant("prefect-email, its function", others.prefect_email, 3, 60)
STDLIB = Contestant("smtplib, a session a mail", others.stdlib_session_a_mail, 3, 60)
STDLIB_KEPT = Contestant("smtplib, kept session", others.stdlib_kept, 6, 60)
AIOSMTPLIB = Contestant("aiosmtplib, kept session", others.aiosmtplib_kept, 6, 60)
SMTP_SOURCE = Contestant("smtp-source -d -s 1", others.smtp_source, 6, 1000)
ONE_BY_ONE = Contestant("ours, deliver, kept session", ours.one_by_one, 10, 100)
ONE_SESSION = Contestant("ours, deliver_all, 1 session", ours.in_bulk(1), 20, 200)
TEN_SESSIONS = Contestant("ours, deliver_all, 10 sessions", ours.in_bulk(10), 200, 200)
FIRST_MAIL = Contestant("ours, first mail", ours.first_mail, 1, 1)
SECOND_MAIL = Contestant("ours, second mail", ours.one_by_one, 1, 1)
STDLIB_MAIL = Contestant("smtplib, any mail", others.stdlib_session_a_mail, 1, 1)

_BENCH_EXTRA = 'pip install -e ".[dev,bench]"'
_MODULES = {PREFECT_EMAIL: "prefect_email", AIOSMTPLIB: "aiosmtplib"}


def how_to_install(contestant: Contestant) -> str:
    """What to run to have a contestant measured; blank where nothing is missing."""
    if contestant == SMTP_SOURCE and find_postfix_program("smtp-source") is None:
        return "apt install postfix"
    module = _MODULES.get(contestant)
    return _BENCH_EXTRA if module and importlib.util.find_spec(module) is None else ""


def installed(contestants: Sequence[Contestant]) -> list[Contestant]:
    """Those that can be measured here."""
    return [contestant for contestant in contestants if not how_to_install(contestant)]
