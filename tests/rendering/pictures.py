"""Draw the pictures of the pages: ``python -m tests.rendering.pictures``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Literal

from playwright.sync_api import Browser

from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.compose.origin import Origin
from prefect_smtp_relay.flows.incidents.incident import Incident
from prefect_smtp_relay.flows.incidents.notification import describe
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.settings import SmtpRelaySettings
from tests.chromium import find_chromium, running_chromium
from tests.rooms import ROOT

_AN_HOUR_LATER = datetime(2026, 3, 14, 4, 7, tzinfo=UTC)

_SENDER = Mailbox("oncall", "acme.example", "Acme on-call")
_ORIGIN = Origin("the flow **incident-notification** (deployment **stakeholders**)")


def incident_page() -> str:
    """The HTML of the mail about the demo's first incident."""
    demo = ROOT / "demo" / "incidents.json"
    incident = Incident(**json.loads(demo.read_text(encoding="utf-8"))[0])
    mail = {"to": "ann@example.org", **describe(incident, "declared", _AN_HOUR_LATER)}
    return draft(mail, SmtpRelaySettings(), _ORIGIN).from_mailbox(_SENDER).html


def draw(browser: Browser, file: str, width: int, scheme: Literal["light", "dark"]) -> None:
    """Take a picture of the whole page."""
    page = browser.new_page(viewport={"width": width, "height": 1}, color_scheme=scheme)
    page.set_content(incident_page())
    page.screenshot(path=ROOT / "docs" / "images" / file, full_page=True)
    page.close()


if __name__ == "__main__":
    with running_chromium(find_chromium()) as browser:
        draw(browser, "incident-mail-light.png", 640, "light")
        draw(browser, "incident-mail-dark-phone.png", 360, "dark")
