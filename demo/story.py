"""Connect a relay, run an incident flow, disconnect, and run the same flow again."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client

from demo.waiting import waiting_for
from prefect_smtp_relay import SMTP, Receipt
from prefect_smtp_relay.flows.incidents.incident import Event, Incident
from prefect_smtp_relay.flows.incidents.notification import notify_stakeholders
from prefect_smtp_relay.testing.certificates import issue_certificates
from prefect_smtp_relay.testing.mail_server import MailServer, ReceivedMail

_INCIDENTS = Path(__file__).with_name("incidents.json")
_STAKEHOLDERS = ["Zoë Ångström <zoe@stakeholders.example>", "board@stakeholders.example"]
_EVENTS: tuple[Event, ...] = ("declared", "mitigated")
_USER = {"relay-user": "a password that nobody sees"}


def main() -> None:
    """Tell the story from the first connection to the fall back."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd reports every odd client
    incidents = [_just_begun(each) for each in json.loads(_INCIDENTS.read_text("utf-8"))]
    certificates = issue_certificates()
    server = MailServer(security="starttls", tls_context=certificates.server_context, users=_USER)
    with server:
        _chapter(f"1. A mail server runs on 127.0.0.1:{server.port}, with STARTTLS and AUTH")
        _chapter("2. Connect it, once, as an SMTP block")
        _connect(server, certificates.ca_pem)
        _chapter("3. Run the incident flow: it knows nothing of the relay")
        for incident, event in zip(incidents, _EVENTS, strict=True):
            _print_receipt(notify_stakeholders(incident, _STAKEHOLDERS, event))
        _chapter(f"4. What arrived: {len(server.mails)} mails")
        for mail in server.mails:
            _print_mail(mail)
        _chapter("5. Disconnect SMTP, and run the same flow, unchanged")
        _disconnect("smtp")
        _print_receipt(notify_stakeholders(incidents[0], _STAKEHOLDERS))
        print(f"   The mail server got no more than those {len(server.mails)} mails.")
    print("\nThat was the main job. The how-to pages say how to connect your own server.")


def _just_begun(fields: dict[str, Any]) -> Incident:
    """Read an incident, and move its times so that it began twelve minutes ago."""
    incident = Incident(**fields)
    if incident.started_at is None or incident.next_update_at is None:
        return incident
    later = datetime.now(UTC) - timedelta(minutes=12) - incident.started_at
    updates = [each.model_copy(update={"at": each.at + later}) for each in incident.updates]
    times = {name: getattr(incident, name) + later for name in ("started_at", "next_update_at")}
    return incident.model_copy(update={**times, "updates": updates})


def _connect(server: MailServer, ca_pem: str) -> None:
    relay = SMTP(
        address=server.host,
        port=server.port,
        username=next(iter(_USER)),
        password=next(iter(_USER.values())),
        ssl_verify_mode="peer",
        ca_certificate=ca_pem,
        from_address="Incidents <incidents@demo.example>",
    )
    with waiting_for("the temporary Prefect server (it makes a database first)"):
        relay.save("demo")
    print(f"   Saved {relay.relay_name}: {relay.address}:{relay.port}, user {relay.username}")


def _disconnect(slug: str) -> None:
    with get_client(sync_client=True) as client:
        for document in client.read_block_documents_by_type(slug):
            client.delete_block_document(document.id)
            print(f"   Deleted {slug}/{document.name}")


def _print_receipt(receipt: Receipt) -> None:
    print(f"   Receipt: {receipt.outcome} by {receipt.relay}")
    for name in ("message_id", "transport", "accepted", "response", "size"):
        print(f"      {name:<11}{getattr(receipt, name)}")


def _print_mail(mail: ReceivedMail) -> None:
    print(f"   From <{mail.reverse_path}> to {', '.join(mail.forward_paths)}")
    print(f"   TLS: {mail.encrypted}, AUTH {mail.mechanism} as {mail.username}")
    for name, value in mail.message.items():
        print(f"      {name}: {value}")
    for part in mail.message.walk():
        print(f"      part {part.get_content_type()}")
    body = mail.message.get_body(("plain",))
    if body is not None:
        text = body.get_content().strip().replace("\n", "\n      | ")
        print(f"      | {text}\n")


def _chapter(title: str) -> None:
    print(f"\n{title}")


if __name__ == "__main__":
    main()
