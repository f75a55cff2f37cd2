"""The mails that this package and its example flows write, of made-up data and without a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_UI_URL, temporary_settings
from prefect.states import Crashed, Failed
from pydantic import HttpUrl

from prefect_smtp_relay.flows.incidents import notification, open_incidents
from prefect_smtp_relay.flows.incidents.incident import Event, Incident, Link, Update
from prefect_smtp_relay.flows.runs.causes import FailedRun
from prefect_smtp_relay.flows.runs.digest import describe as describe_failed_runs
from prefect_smtp_relay.notifications.grouping.kind import Kind, Occurrence
from prefect_smtp_relay.notifications.grouping.summary import summarise
from prefect_smtp_relay.notifications.recovery import Failure, Recovery
from prefect_smtp_relay.notifications.report import RunReport
from prefect_smtp_relay.notifications.tracebacks import shorten_traceback

_UI = "https://prefect.acme.example"
_NIGHT = datetime(2026, 3, 14, 2, 6, 58, tzinfo=UTC)
_ERROR = (
    "ConnectionError: could not connect to"
    " postgresql://loader:********@db-2.internal.acme.example:5432/payments?sslmode=require"
)
_NAMES = (
    *("amber-fox", "convivial-quoll", "ivory-rabbit", "invincible-larva", "misty-owl"),
    *("coral-hare", "dandelion-koala", "maize-saluki", "cerulean-orca", "agate-prawn"),
)


def own_mails() -> dict[str, Mapping[str, Any]]:
    """Each mail by its name: the arguments of `send_an_email`, but for the recipients."""
    with temporary_settings({PREFECT_UI_URL: _UI}):
        return {
            **{f"incident-{event}": _incident(event) for event in _STORY},
            "failure": failure().mail,
            "recovery": _recovery().mail,
            "flood": _flood(),
            "digest": _digest(),
            "reminder": _reminder(),
        }


_STORY: dict[Event, tuple[str, str]] = {
    "declared": ("03:07", "Declared SEV1 by Zoë Ångström"),
    "updated": ("03:19", "The rollback to 1.4.1 is half done; 8 % of the payments fail."),
    "mitigated": ("03:52", "All payments go through since the rollback."),
    "resolved": ("04:30", "Resolved. The cause was a migration that locked payments.ledger."),
}


def _incident(event: Event) -> dict[str, Any]:
    so_far = list(_STORY.values())[: list(_STORY).index(event) + 1]
    updates = [Update(at=_at(time), text=text) for time, text in so_far]
    summary = "One in five payments fails since the last deployment. Rolling back now."
    incident = Incident(
        number=42,
        title="Checkout answers with errors",
        summary=summary if event == "declared" else "",
        severity="SEV1",
        status="investigating",
        url=HttpUrl("https://status.acme.example/incidents/42"),
        links=[Link(label="Join the call", url=HttpUrl("https://call.acme.example/inc-42"))],
        started_at=_at("03:07"),
        next_update_at=updates[-1].at + timedelta(minutes=18),
        services=["checkout", "payments-api"],
        commander="Zoë Ångström",
        updates=updates,
    )
    return notification.describe(incident, event, updates[-1].at + timedelta(minutes=1))


def _at(time: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-14T{time}:00+00:00")


def failure() -> RunReport:
    """A task that failed below many frames, most of them Prefect's and libraries'."""
    return RunReport(
        kind="flow",
        name="nightly-import",
        run_name="maize-saluki",
        state="Failed",
        state_type="FAILED",
        message=f"Flow run encountered an exception: {_ERROR}",
        started_at=_NIGHT,
        ended_at=_NIGHT + timedelta(seconds=83),
        attempt="3 of 3",
        failed_in="task load_page-a1d, nightly.py line 358",
        last_success=_NIGHT - timedelta(days=1, seconds=118),
        flow="nightly-import",
        deployment="prod",
        traceback=shorten_traceback(_traceback()),
        parameters=('source = "s3://acme-orders/2026/03/14/"', "pages = [1, 2, 3, 4]"),
        log=tuple(_log()),
        url=f"{_UI}/runs/flow-run/0b9cbd3c-5c0a-5a58-8d4b-7c4c0a7b2b11",
        flow_url=f"{_UI}/flows/flow/1f6dcb1e-7d3a-4f0e-9c55-2a4b8f3f7e10",
    )


def _traceback() -> str:
    """Sixty lines, as Python prints them."""
    site = "/srv/venv/lib/python3.11/site-packages"
    engine = [
        (f"{site}/prefect/flow_engine.py", 1349, "call_flow_fn", "result = call_with_parameters("),
        (f"{site}/prefect/utilities/callables.py", 404, "call_with_parameters", "return fn(*args)"),
        (f"{site}/prefect/task_engine.py", 901, "run_context", "self.call_task_fn(txn)"),
        (f"{site}/prefect/task_engine.py", 933, "call_task_fn", "result = call_with_parameters("),
    ]
    own = [
        ("/srv/flows/nightly.py", 393, "load_page", "rows = fetch(page)"),
        ("/srv/flows/nightly.py", 350, "fetch", "return retry(n - 1, payload, connect)"),
        *[("/srv/flows/nightly.py", 341, "retry", "return retry(n - 1, payload, connect)")] * 17,
        ("/srv/flows/nightly.py", 358, "connect", "raise ConnectionError(f'could not connect')"),
    ]
    frames = [*engine, own[0], *engine[1:], *own[1:]]
    lines = [f'  File "{file}", line {n}, in {name}\n    {code}' for file, n, name, code in frames]
    return "\n".join(["Traceback (most recent call last):", *lines, _ERROR])


def _log() -> Iterator[str]:
    """The last ten entries, as the report of a run writes them."""
    pages = [
        ("INFO", f"load_page-{n:02x}d: Loaded page {n} of s3://acme-orders/2026/03/14/")
        for n in range(10, 16)
    ]
    said = [
        *pages,
        ("INFO", "load_page-a1d: Loading page 16 of s3://acme-orders/2026/03/14/"),
        ("WARNING", "load_page-a1d: Rate limited, waiting 2 s"),
        ("ERROR", "load_page-a1d: Task run failed with exception (traceback above)"),
        ("ERROR", "Encountered exception during execution (traceback above)"),
    ]
    for second, (level, text) in enumerate(said, 48):
        yield f"02:07:{second} {level:<7} {text}"


def _recovery() -> Recovery:
    report = failure()
    failures = [
        Failure(
            run_id=UUID(int=n),
            run_name=name,
            at=_NIGHT - timedelta(hours=n),
            cause=_ERROR,
            url=f"{_UI}/runs/flow-run/{UUID(int=n)}",
        )
        for n, name in enumerate(_NAMES[:3])
    ]
    end = _NIGHT + timedelta(hours=1, minutes=23)
    details = {"state_type": "COMPLETED", "message": "", "attempt": "", "traceback": (), "log": ()}
    fresh = {**vars(report), **details, "started_at": end - timedelta(seconds=41), "ended_at": end}
    return Recovery.of(RunReport(**fresh), tuple(failures))


def _flood() -> dict[str, Any]:
    """What a summary says of 249 runs that were counted in a quarter of an hour."""
    kind = Kind(
        subject=("flow", "nightly-import"),
        name="nightly-import",
        cause=_ERROR,
        cause_kind=_ERROR,
        recipients="",
        within_seconds=900,
        state="Failed",
        flow_id=str(UUID(int=7)),
    )
    names = cycle(_NAMES)
    moments = [(_NIGHT + timedelta(seconds=3 * n)).isoformat() for n in range(250)]
    first, *others = [
        Occurrence(
            id=str(n),
            name=next(names),
            at=moment,
            began=moment,
            url=f"{_UI}/runs/flow-run/{UUID(int=n)}",
        )
        for n, moment in enumerate(moments)
    ]
    mailed = failure()
    return dict(summarise(kind, others, first, subject=mailed.subject, thread=mailed.thread))


_CAUSES = [
    ("crm-to-warehouse", "Failed", "HTTPStatusError: 502 Bad Gateway from api.crm.example", 6),
    ("crm-to-warehouse", "Failed", "ConnectionError: db-2.internal:5432 timed out", 3),
    ("orders-sync", "Crashed", "Process exited with status 137 (out of memory?)", 10),
    ("invoice-pdf-renderer", "TimedOut", "Flow run exceeded timeout of 3600.0 second(s)", 5),
    ("ml-feature-refresh", "Failed", "KeyError: 'amount'", 8),
    ("ml-feature-refresh", "Failed", "ValueError: could not convert string to float: 'n/a'", 4),
    ("nightly-import", "Failed", _ERROR, 6),
    ("nightly-import", "Failed", "PermissionError: s3://acme-orders/2026/03/14/", 2),
]


def _digest() -> dict[str, Any]:
    """44 runs of 8 causes, of which 3 are new."""
    names = cycle(_NAMES)
    failed = [(flow, state, text) for flow, state, text, count in _CAUSES for _ in range(count)]
    morning = _at("07:00")
    runs = [
        _failed_run(*each, name=next(names), end=morning - timedelta(minutes=7 + 13 * n))
        for n, each in enumerate(failed)
    ]
    return describe_failed_runs(runs, runs[20:], 24, morning)


def _failed_run(flow: str, state: str, text: str, name: str, end: datetime) -> FailedRun:
    make = Crashed if state == "Crashed" else Failed
    run = FlowRun(
        flow_id=UUID(int=0),
        name=name,
        state=make(name=state, message=text),
        state_name=state,
        expected_start_time=end,
        end_time=end,
    )
    return flow, run


def _reminder() -> dict[str, Any]:
    now = _at("09:30")
    incidents = [
        Incident(
            number=42,
            title="Checkout answers with errors",
            severity="SEV1",
            status="mitigated",
            url=HttpUrl("https://status.acme.example/incidents/42"),
            started_at=_at("03:07"),
            commander="Zoë Ångström",
        ),
        Incident(number=43, title="Search results are 10 minutes old", status="investigating"),
    ]
    return open_incidents.describe(incidents, [Incident(number=39, title="x")], now)
