"""A block checks itself."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from prefect_smtp_relay import SMTP, SendGrid
from prefect_smtp_relay.exceptions import InvalidMailbox
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.fixtures import PASSWORD, USERNAME
from prefect_smtp_relay.testing.mail_server import MailServer


@pytest.fixture
def block(mail_server: MailServer, certificates: Certificates) -> SMTP:
    """The account of the test server."""
    return SMTP(
        address="localhost",
        port=mail_server.port,
        username=SecretStr(USERNAME),
        password=SecretStr(PASSWORD),
        ca_certificate=certificates.ca_pem,
        from_address="Flows <from@example.org>",
    )


def test_an_smtp_block_checks_itself(block: SMTP, mail_server: MailServer) -> None:
    """The report is of this server, with its login and the block's own sender."""
    report = block.check()
    assert report.has_passed
    assert report.transport == f"smtp://localhost:{mail_server.port}"
    assert report.step("login").outcome == "ok"
    assert report.step("MAIL").detail.startswith("from@example.org: ")
    assert mail_server.mails == []


def test_the_recommended_settings_leave_nothing_to_recommend(block: SMTP) -> None:
    """Who sets the block as recommended gets a report without recommendations."""
    wanted = block.check().recommendation.settings
    assert wanted == {"ssl": False, "enable_starttls": True, "ssl_verify_mode": "peer"}
    mended = SMTP(**{**block.model_dump(include=set(SMTP.model_fields)), **wanted})
    report = mended.check()
    assert report.has_passed
    assert not report.recommendation


def test_another_sender_and_recipient_are_tried(block: SMTP, mail_server: MailServer) -> None:
    """Who is named goes before the block's own sender."""
    mail_server.refused["out@example.com"] = "550 5.7.1 no relaying"
    report = block.check(sender="Ann <ann@example.org>", recipient="out@example.com")
    assert report.step("MAIL").detail.startswith("ann@example.org: ")
    assert "550 5.7.1 no relaying" in report.step("RCPT").detail
    assert not report.has_passed


def test_the_username_is_the_last_sender(block: SMTP) -> None:
    """Without a from_address, a username that is an address is tried."""
    assert (
        block.model_copy(update={"from_address": ""})
        .check()
        .step("MAIL")
        .detail.startswith(f"{USERNAME}: ")
    )


@pytest.mark.parametrize(
    "block", [SMTP(address="mx.example.org"), SendGrid(api_key=SecretStr("SG.k"))]
)
def test_a_wrong_sender_is_the_callers_mistake(block: SMTP | SendGrid) -> None:
    """It is an exception before any I/O, not a failed step."""
    with pytest.raises(InvalidMailbox, match=r"^sender: "):
        block.check(sender="nobody\r\nRSET")
