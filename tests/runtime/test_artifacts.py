"""The artifact of a mail."""

from __future__ import annotations

import re
from html import unescape

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient

from prefect_smtp_relay import SMTP, Receipt, render, send_an_email
from prefect_smtp_relay.rendering.markdown import parse, to_html
from prefect_smtp_relay.runtime.artifacts import ArtifactInput, describe
from prefect_smtp_relay.testing.mail_server import MailServer


@flow
def notify(relay: SMTP | None, artifact: ArtifactInput) -> Receipt:
    """Send a mail with a Bcc recipient, an unruly subject and an unruly body."""
    return send_an_email(
        "ann@example.org, bob@example.org",
        "[x](http://evil.example) ```",
        "Body with ``` and <b>HTML</b>",
        bcc="eve@example.org",
        relay=relay,
        artifact=artifact,
    )


def relay_of(server: MailServer) -> SMTP:
    """A block for the running server, which refuses one recipient."""
    server.refused["bob@example.org"] = "550 5.1.1 <bob@example.org> no such user"
    return SMTP(address=server.host, port=server.port, ssl=False, from_address="ops@example.org")


def artifact_of(client: SyncPrefectClient, receipt: Receipt) -> str:
    """Find the Markdown of the artifact that shows a receipt."""
    texts = [str(each.data) for each in client.read_artifacts()]
    found = [text for text in texts if receipt.message_id in shown(text)]
    (markdown,) = found
    return markdown


def shown(markdown: str) -> str:
    """What Prefect's UI shows of an artifact's Markdown, as one line."""
    return " ".join(re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", markdown).split())


def test_an_artifact_shows_the_mail_and_masks_its_recipients(
    mail_server: MailServer, client: SyncPrefectClient
) -> None:
    """Subject, receipt, text and refusals are there; addresses are masked, Bcc only counted."""
    text = shown(artifact_of(client, notify(relay_of(mail_server), artifact=True)))
    assert "# [x](http://evil.example)" in text
    assert "| From | ops@example.org |" in text
    assert "| To | a***@example.org |" in text
    assert "| Refused: b***@example.org | 550 5.1.1 <b***@example.org> no such user |" in text
    assert "| Bcc | 1 accepted, 0 refused |" in text
    assert "Body with" in text
    for address in ("ann@example.org", "bob@example.org", "eve@example.org"):
        assert address not in text


def test_an_address_at_the_end_of_another_one_is_masked() -> None:
    """Neither shows more than its first letter."""
    message = render("ann@example.org, joann@example.org", "s", "b").message
    accepted = ["ann@example.org", "joann@example.org"]
    receipt = Receipt.for_message(
        message, transport="t:", outcome="accepted", accepted=accepted, response="250 OK", size=1
    )
    markdown = describe(message, receipt, masked=True)
    assert "| To | a***@example.org, j***@example.org |" in shown(markdown)


def test_what_came_from_outside_is_shown_as_text(
    mail_server: MailServer, client: SyncPrefectClient
) -> None:
    """Neither the subject nor the text is markup in the artifact."""
    markdown = artifact_of(client, notify(relay_of(mail_server), artifact=True))
    html = to_html(parse(markdown))
    assert "[x](http://evil.example)" in unescape(html)
    assert "<b>HTML" not in html
    assert 'href="http://evil.example"' not in html.partition("<hr")[0]


def test_an_artifact_shows_no_password() -> None:
    """What looks like a secret in subject or text is masked: the artifact stays in a database."""
    message = render(
        "ann@example.org", "db://u:s3cret@h", "`db://u:s3cret/1@h` token=s3cret"
    ).message
    receipt = Receipt.for_message(
        message,
        transport="t:",
        outcome="accepted",
        accepted=["ann@example.org"],
        response="",
        size=1,
    )
    assert "s3cret" not in describe(message, receipt, masked=True)


def test_recipients_are_shown_on_request_but_never_bcc(
    mail_server: MailServer, client: SyncPrefectClient
) -> None:
    """with-recipients shows to and cc as they are."""
    markdown = artifact_of(client, notify(relay_of(mail_server), artifact="with-recipients"))
    assert "| To | ann@example.org |" in shown(markdown)
    assert "eve@example.org" not in markdown


def test_no_artifact_is_left_unasked(mail_server: MailServer, client: SyncPrefectClient) -> None:
    """By default the run has no artifact."""
    before = len(client.read_artifacts())
    notify(relay_of(mail_server), artifact=False)
    assert len(client.read_artifacts()) == before


def test_a_failing_artifact_does_not_fail_the_mail(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The mail is accepted already, so the failure is a warning."""

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError(f"no artifacts today for {len(args)} and {len(kwargs)}")

    monkeypatch.setattr("prefect_smtp_relay.runtime.artifacts.create_markdown_artifact", broken)
    assert notify(relay_of(mail_server), artifact=True).outcome == "accepted"
    assert "no artifacts today" in caplog.text
