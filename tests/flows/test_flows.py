"""The example flows, against a real mail server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from prefect import Flow, flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.flows import load_flow_from_entrypoint
from prefect.states import Completed
from pydantic import HttpUrl, ValidationError

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.flows import incidents, runs
from prefect_smtp_relay.flows.incidents.incident import Event, Incident, Link, Update
from prefect_smtp_relay.flows.incidents.notification import notify_stakeholders
from prefect_smtp_relay.flows.incidents.reminder import remind_of_open_incidents
from prefect_smtp_relay.flows.runs.failed_runs_digest import mail_digest
from prefect_smtp_relay.flows.runs.flow_run_incident import tell_of_flow_run
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.mails import html_of, only_mail, text_of
from tests.rooms import ROOT

FLOWS = [file for room in (incidents, runs) for file in sorted(Path(*room.__path__).glob("*.py"))]
_ANN = ["ann@example.org"]
_PASSWORD = "s3cret-7c1f"
_SECRET = f"db://user:{_PASSWORD}@host is down"


@pytest.fixture(autouse=True)
def connected(mail_server: MailServer) -> MailServer:
    """Connect the mail server as the preferred relay."""
    SMTP(
        address=mail_server.host, port=mail_server.port, ssl=False, from_address="ops@example.org"
    ).save("main")
    return mail_server


@pytest.fixture
def incident() -> Incident:
    """An incident with a title that would like to be a link."""
    return Incident(
        number=42,
        title="Checkout [slow](https://evil.example)",
        severity="SEV1",
        status="investigating",
        url="https://status.example.org/42",
        started_at=datetime.now(UTC) - timedelta(hours=3),
        commander="Zoë Ångström",
    )


@pytest.mark.parametrize(
    ("event", "labels", "first"),
    [
        ("declared", "SEV1 | Declared", "Updates will follow in this thread."),
        ("updated", "SEV1 | Updated", "There is news about this incident."),
        ("mitigated", "SEV1 | Mitigated", "Users are no longer affected."),
        ("resolved", "SEV1 | Resolved", "This incident is over after 3 h. No further mails"),
    ],
)
def test_each_event_has_a_mail_of_its_own(
    event: Event, labels: str, first: str, incident: Incident, connected: MailServer
) -> None:
    """One subject for all; labels and first words say what has happened; the title stays text."""
    receipt = notify_stakeholders(incident, _ANN, event)
    mail = only_mail(connected)
    assert receipt.accepted == ("ann@example.org",)
    assert mail.message["Subject"] == f"INC-42: {incident.title}"
    assert text_of(mail).splitlines()[:3] == [f"[{labels}]", "", f"INC-42: {incident.title}"]
    assert first in text_of(mail).split("View incident")[0]
    assert 'href="https://evil.example' not in html_of(mail)
    assert 'href="https://status.example.org/42"' in html_of(mail)
    assert "Zoë Ångström" in text_of(mail)


@pytest.mark.parametrize(
    ("event", "facts", "importance"),
    [
        ("declared", {"Status    declared", "Open for  3 h"}, "high"),
        ("updated", {"Status     investigating", "Open for   3 h"}, "high"),
        ("mitigated", {"Status     mitigated", "Open for   3 h"}, "high"),
        ("resolved", {"Status      resolved", "Over after  3 h"}, None),
    ],
)
def test_status_and_importance_follow_the_event(
    event: Event,
    facts: set[str],
    importance: str | None,
    incident: Incident,
    connected: MailServer,
) -> None:
    """What is resolved is not urgent any more, and is not called open."""
    notify_stakeholders(incident, _ANN, event)
    mail = only_mail(connected)
    lines = {" ".join(line.split()) for line in text_of(mail).splitlines()}
    assert {" ".join(fact.split()) for fact in facts} <= lines
    assert mail.message["Importance"] == importance


def test_an_incident_has_buttons_a_next_update_and_a_timeline(
    incident: Incident, connected: MailServer
) -> None:
    """Every link is a button; what happened so far is told in order."""
    told = incident.model_copy(
        update={
            "links": [Link(label="Join the call", url=HttpUrl("https://call.example.org/"))],
            "next_update_at": datetime(2030, 1, 2, 3, 25, tzinfo=UTC),
            "updates": [
                Update(at=datetime(2030, 1, 2, 3, 7), text="Declared"),
                Update(at=datetime(2030, 1, 2, 3, 19, tzinfo=UTC), text="Rolled | back"),
            ],
        }
    )
    notify_stakeholders(told, _ANN, "updated")
    mail = only_mail(connected)
    text = text_of(mail)
    assert html_of(mail).count('class="button"') == 2
    assert "Join the call: https://call.example.org/" in text
    assert "Wed 2 Jan 2030, 03:25 UTC" in text
    assert text.index("So far (UTC)") < text.index("03:07  Declared") < text.index("03:19  Rolled")
    assert text.index("Rolled | back") < text.index("View incident"), "the latest is the news"
    assert "SEV1 updated. Rolled | back" in html_of(mail), "inboxes show it, too"


def test_what_comes_as_data_loses_no_mail(incident: Incident, connected: MailServer) -> None:
    """Line ends in the title, templates and markup in the texts are shown as they are."""
    odd = {"title": "Down\r\nBcc: eve@example.org", "summary": "{{ 1 }} **x** {% if %}"}
    notify_stakeholders(incident.model_copy(update=odd), _ANN, "declared")
    mail = only_mail(connected)
    assert mail.forward_paths == ("ann@example.org",)
    assert mail.message["Subject"] == "INC-42: Down Bcc: eve@example.org"
    assert "{{ 1 }} **x** {% if %}" in text_of(mail)


def test_an_incident_is_told_without_passwords(incident: Incident, connected: MailServer) -> None:
    """What looks like a secret in its texts is masked, in the mail and in its artifact."""
    texts = {"title": _SECRET, "summary": _SECRET}
    updates = [Update(at=datetime.now(UTC), text=_SECRET)]
    notify_stakeholders(incident.model_copy(update={**texts, "updates": updates}), _ANN)
    mail = only_mail(connected)
    assert "db://user:********@host" in text_of(mail)
    assert _PASSWORD not in mail.octets.decode()


def test_all_mails_of_an_incident_are_in_one_thread(
    incident: Incident, connected: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They answer the one that declared it, and another incident's answer another."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_SPOOL", str(tmp_path / "spool"))
    events: list[tuple[int, Event]] = [(42, "declared"), (42, "updated"), (42, "resolved")]
    for number, event in [*events, (43, "declared"), (43, "updated")]:
        notify_stakeholders(incident.model_copy(update={"number": number}), _ANN, event)
    mails = [mail.message for mail in connected.mails]
    first, other = mails[0]["Message-ID"], mails[3]["Message-ID"]
    assert [mail["References"] for mail in mails] == [None, first, first, None, other]
    assert [mail["In-Reply-To"] for mail in mails] == [mail["References"] for mail in mails]
    assert len({mail["Message-ID"] for mail in mails}) == 5


@pytest.fixture
def open_incidents(incident: Incident) -> str:
    """A JSON list: one old, one of unknown age, one young, one resolved."""
    young = datetime.now(UTC) - timedelta(minutes=5)
    unknown = {"number": 43, "title": "Search | lags", "severity": "SEV3"}
    return json.dumps(
        [
            unknown,
            incident.model_dump(mode="json"),
            {"number": 44, "title": "Young", "started_at": young.isoformat()},
            {"number": 45, "title": "Over", "status": "resolved"},
        ]
    )


def _check_reminder(server: MailServer) -> None:
    mail = only_mail(server)
    assert mail.message["Subject"] == "Still open: INC-42, INC-43"
    html = html_of(mail)
    assert html.index("INC-42") < html.index("INC-43")
    text = text_of(mail)
    assert "SEV1, investigating, open for 3 h, commander Zoë Ångström" in text
    assert "SEV3, declared, start unknown, no commander" in text
    assert "Young" not in html
    assert "Over" not in html


def test_the_reminder_names_the_incidents_of_a_file(
    open_incidents: str, tmp_path: Path, connected: MailServer
) -> None:
    """Those open for long, and those of unknown age, are named, the worst first."""
    file = tmp_path / "incidents.json"
    file.write_text(open_incidents, encoding="utf-8")
    remind_of_open_incidents(str(file), _ANN, open_for_minutes=60)
    _check_reminder(connected)


@pytest.fixture
def incident_tool(open_incidents: str) -> Iterator[str]:
    """Run an HTTP server that lists the incidents, and give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(open_incidents.encode())

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/incidents"
        server.shutdown()


def test_the_reminder_names_the_incidents_of_an_address(
    incident_tool: str, connected: MailServer
) -> None:
    """The same list from an http address makes the same mail."""
    remind_of_open_incidents(incident_tool, _ANN, open_for_minutes=60)
    _check_reminder(connected)


def _remind(file: Path, incidents: list[Incident], **options: Any) -> None:
    file.write_text(json.dumps([each.model_dump(mode="json") for each in incidents]), "utf-8")
    remind_of_open_incidents(str(file), _ANN, **options)


def test_the_reminder_does_not_repeat_what_has_not_changed(
    incident: Incident, tmp_path: Path, connected: MailServer
) -> None:
    """Only what is new or changed makes a mail, until a day has passed; it names the others."""
    file, other = tmp_path / "incidents.json", incident.model_copy(update={"number": 7})
    for _ in range(2):
        _remind(file, [incident, other])
    changed = incident.model_copy(update={"status": "mitigated"})
    _remind(file, [changed, other])
    _remind(file, [changed, other], repeat_after_hours=0)
    assert [mail.message["Subject"] for mail in connected.mails] == [
        "Still open: INC-7, INC-42",
        "Still open: INC-42",
        "Still open: INC-7, INC-42",
    ]
    assert "Open as before: INC-7." in text_of(connected.mails[1])
    assert len({mail.message["References"] for mail in connected.mails}) == 1


def test_an_incident_that_opens_again_is_told_again(
    incident: Incident, tmp_path: Path, connected: MailServer
) -> None:
    """What was resolved meanwhile is forgotten."""
    file, other = tmp_path / "incidents.json", incident.model_copy(update={"number": 7})
    for open_ones in ([incident, other], [incident], [incident, other]):
        _remind(file, open_ones, repeat_after_hours=24)
    subjects = [mail.message["Subject"] for mail in connected.mails]
    assert subjects == ["Still open: INC-7, INC-42", "Still open: INC-7"]


def test_the_reminder_shows_no_password(
    incident: Incident, tmp_path: Path, connected: MailServer
) -> None:
    """What looks like a secret is masked, and a long subject ends at 100 characters."""
    secret = {"title": _SECRET, "commander": _SECRET}
    many = [incident.model_copy(update={"number": n, **secret}) for n in range(100, 130)]
    _remind(tmp_path / "incidents.json", many)
    mail = only_mail(connected)
    assert _PASSWORD not in mail.octets.decode()
    assert len(mail.message["Subject"]) <= 100


def test_no_open_incident_is_no_mail(tmp_path: Path, connected: MailServer) -> None:
    """Nobody is reminded of nothing."""
    file = tmp_path / "incidents.json"
    file.write_text('[{"number": 45, "title": "Over", "status": "resolved"}]', encoding="utf-8")
    assert remind_of_open_incidents(str(file), _ANN) is None
    assert connected.mails == []


def test_a_list_that_is_wrong_fails_the_reminder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no list of incidents is an error that names the field."""
    monkeypatch.setattr("prefect_smtp_relay.flows.incidents.reminder.read_incidents.retries", 0)
    file = tmp_path / "incidents.json"
    file.write_text('[{"number": 0, "title": "x"}]', encoding="utf-8")
    with pytest.raises(ValidationError, match="number"):
        remind_of_open_incidents(str(file), _ANN)


@pytest.fixture
def no_runs(client: SyncPrefectClient) -> None:
    """Forget the failed runs of other tests."""
    failed = {"flow_runs": {"state": {"type": {"any_": ["FAILED", "CRASHED"]}}}}
    path: Any = "/flow_runs/bulk_delete"  # the client's list of paths lacks it
    while client.request("POST", path, json=failed).json()["deleted"]:
        pass


def _fail(message: str) -> UUID:
    @flow(name="Nightly | import")
    def nightly(password: str) -> None:
        raise ValueError(f"{message}{password[:0]}")

    state: State[Any] = nightly("canary-c0ffee", return_state=True)
    assert state.state_details.flow_run_id is not None
    return state.state_details.flow_run_id


@pytest.mark.usefixtures("no_runs")
def test_the_digest_groups_failed_and_crashed_runs(
    client: SyncPrefectClient, connected: MailServer
) -> None:
    """By flow and cause, whatever numbers differ; completed runs are not in it."""
    evil = "[pay](https://evil.example) | more " + "x" * 500
    run = client.read_flow_run(_fail(evil))
    for number in range(4):
        _fail(f"page {number} of db-{number} is missing")

    @flow(name="Fine")
    def fine() -> State[Any]:
        return Completed()

    fine()
    mail_digest(_ANN)
    mail = only_mail(connected)
    html, text = html_of(mail), " ".join(text_of(mail).split())
    assert mail.message["Subject"] == "5 runs of 1 flow failed in the last 24 hours"
    assert text.startswith("[5 failed] 5 runs of 1 flow failed in the last 24 hours")
    assert "2 causes, 2 of them new." in text
    assert "4 \N{MULTIPLICATION SIGN}: New: ValueError: page 3 of db-3 is missing" in text
    assert "and 1 more" in text
    assert "1 \N{MULTIPLICATION SIGN}: New: ValueError: [pay](https://evil.example) | more" in text
    assert html.count("Nightly | import") == 1
    assert f"/runs/flow-run/{run.id}" in html
    assert 'href="https://evil.example' not in html
    assert "x" * 300 not in html
    assert "Fine" not in html


@pytest.mark.usefixtures("no_runs")
def test_the_digest_shows_no_password(connected: MailServer) -> None:
    """What looks like a secret in a state's message is masked, in the mail and in its artifact."""
    _fail(_SECRET)
    mail_digest(_ANN)
    mail = only_mail(connected)
    assert "db://user:********@host" in text_of(mail)
    assert _PASSWORD not in mail.octets.decode()


@pytest.mark.usefixtures("no_runs")
def test_a_digest_of_nothing_is_sent_only_on_request(connected: MailServer) -> None:
    """Nothing failed: no mail, or a line that says so."""
    assert mail_digest(_ANN) is None
    assert connected.mails == []
    mail_digest(_ANN, mail_if_nothing_failed=True)
    mail = only_mail(connected)
    assert mail.message["Subject"] == "No run failed in the last 24 hours"
    assert text_of(mail).startswith("[All well]")
    mail_digest(_ANN, mail_if_nothing_failed=True)
    assert len({mail.message["References"] for mail in connected.mails}) == 1


def test_the_incident_of_a_flow_run_is_told(connected: MailServer) -> None:
    """The mail describes the other run, without its secrets."""
    tell_of_flow_run(_fail(f"no such page: {_SECRET}"), _ANN)
    mail = only_mail(connected)
    assert _PASSWORD not in mail.octets.decode()
    assert mail.message["Subject"] == "Failed: flow Nightly | import"
    assert text_of(mail).startswith("[Failed]")
    assert mail.message["References"], "it is in the thread of the flow"
    assert "no such page" in text_of(mail)
    assert "canary-c0ffee" not in mail.octets.decode()


def test_an_unknown_flow_run_is_an_error() -> None:
    """A run that does not exist fails the flow, and sends nothing."""
    with pytest.raises(ObjectNotFound):
        tell_of_flow_run(UUID(int=0), _ANN)


@pytest.mark.parametrize(
    ("entrypoint", "home"),
    [
        ("incident_notification.py:notify_stakeholders", "incidents.notification"),
        ("incident_reminder.py:remind_of_open_incidents", "incidents.reminder"),
        ("failed_runs_digest.py:mail_digest", "runs.failed_runs_digest"),
        ("flow_run_incident.py:tell_of_flow_run", "runs.flow_run_incident"),
    ],
)
def test_deployments_of_a_checkout_go_on_working(entrypoint: str, home: str) -> None:
    """Where the flows were, Prefect finds those of the package."""
    loaded: Flow[Any, Any] = load_flow_from_entrypoint(f"{ROOT / 'flows'}/{entrypoint}")
    assert loaded.fn.__module__ == f"prefect_smtp_relay.flows.{home}"


@pytest.mark.parametrize("file", FLOWS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_the_flows_are_short_and_use_public_names_only(file: Path) -> None:
    """They are there to be copied: under 80 lines, and nothing from inside the package."""
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 80
    assert "prefect_smtp_relay." not in text.replace("prefect_smtp_relay.flows.", "")
    assert "smtplib" not in text
