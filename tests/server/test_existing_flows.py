"""What docs/how-to/existing-flows.md says, done to 200 flows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.testing.mail_server import MailServer, ReceivedMail
from tests.docs_run.reader import FILE_NAME, run_shell
from tests.failure_mails import connect
from tests.pages import page
from tests.prefect_server import PrefectServer

_BY_PREFECT_EMAIL = """
import asyncio
from prefect import flow
from prefect_email import EmailServerCredentials, email_send_message

@flow(name="flow-{number}")
async def report():
    mail = EmailServerCredentials(smtp_server="old.example.org", smtp_type="INSECURE")
    return await email_send_message(
        "Report {number}", "<p>Twelve <b>rows</b>.</p>", mail, email_to=["{number}@example.org"],
        email_to_bcc="audit@example.org", attachments=[__file__],
    )

if __name__ == "__main__":
    print(asyncio.run(report()).outcome)
"""

_BY_SMTPLIB = """
import smtplib
from email.message import EmailMessage
from prefect import flow

@flow(name="flow-{number}")
def report():
    message = EmailMessage()
    message["From"] = "Reports <reports@example.org>"
    message["To"] = "{number}@example.org"
    message["Bcc"] = "audit@example.org"
    message["Subject"] = "Report {number}"
    message.set_content("Twelve rows.")
    message.add_alternative("<p>Twelve <b>rows</b>.</p>", subtype="html")
    message.add_attachment(b"a,b", maintype="text", subtype="csv", filename="rows.csv")
    with smtplib.SMTP("old.example.org", 587) as server:
        server.starttls()
        server.login("reports", "old password")
        assert server.send_message(message) == {{}}

report()
"""

_BY_SENDMAIL = """
from email.mime.text import MIMEText
from prefect import flow
from smtplib import SMTP_SSL, SMTPException

@flow(name="flow-{number}")
def report():
    message = MIMEText("Twelve rows.")
    message["From"] = "Zoë <reports@example.org>"
    message["To"] = "{number}@example.org"
    message["Subject"] = "Report {number}"
    server = SMTP_SSL("old.example.org")
    server.sendmail("reports@example.org", ["{number}@example.org", "audit@example.org"],
                    message.as_string())
    try:
        server.sendmail("reports@example.org", "else@example.org", message.as_string())
    except SMTPException as error:
        print(error)

report()
"""

_FAILING = """
from prefect import flow

@flow(name="flow-{number}")
def report():
    raise ValueError("no more rows")

report(return_state=True)
"""

_PAGE = page("how-to/existing-flows")
_PYTHON = [block.code for block in _PAGE.blocks("python")]
_KINDS = (_BY_PREFECT_EMAIL, _BY_SMTPLIB, _BY_SENDMAIL, _FAILING)
_COUNT = 200

pytestmark = pytest.mark.parametrize("server", ["default"], indirect=True)

WaitFor = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a directory with 200 flows of four kinds, and with the modules of the page."""
    folder = tmp_path / "flows"
    folder.mkdir()
    for n in range(_COUNT):
        source = _KINDS[n % len(_KINDS)].format(number=f"{n:03}")
        folder.joinpath(f"flow_{n:03}.py").write_text(source, encoding="utf-8")
    for code in _PYTHON:
        if name := FILE_NAME.match(code):
            tmp_path.joinpath(name[1]).write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.usefixtures("client", "flows")
def test_flows_that_nobody_edited_mail_through_the_connected_relay(
    server: PrefectServer, mail_server: MailServer, wait_for: WaitFor
) -> None:
    """One command and one automation do it: two kinds of clients, and a mail of the failed run."""
    connect(mail_server.host, mail_server.port)
    exec(_PYTHON[0], {})  # noqa: S102 - our own example
    (change,) = (block.code for block in _PAGE.blocks("bash"))
    assert _shell(server, change).split() == ["150"]
    printed = _shell(server, "for n in 000 001 002 003; do python flows/flow_$n.py; done")
    assert "accepted" in printed
    assert "To or Cc names somebody who is not in to_addrs." in printed
    assert wait_for(lambda: len(mail_server.mails) == len(_KINDS))
    by_subject = {str(mail.message["Subject"]): mail for mail in mail_server.mails}
    failed = by_subject.pop("flow-003 is Failed")
    assert failed.forward_paths == ("oncall@example.org",)
    assert "no more rows" in _text(failed)
    senders = ("ops@example.org", "Reports <reports@example.org>", "Zoë <reports@example.org>")
    for number, sender in enumerate(senders):
        mail = by_subject[f"Report {number:03}"]
        assert mail.forward_paths == (f"{number:03}@example.org", "audit@example.org")
        assert mail.message["From"] == sender
        assert mail.message["Bcc"] is None
        assert "rows" in _text(mail)
    files = [list(by_subject[f"Report {n:03}"].message.iter_attachments()) for n in range(3)]
    assert [len(parts) for parts in files] == [1, 1, 0]


@pytest.mark.usefixtures("client", "flows")
def test_a_setting_of_the_work_pool_holds_for_its_runs(
    server: PrefectServer, mail_server: MailServer
) -> None:
    """A worker's run has the From that the page puts into the base job template."""
    SMTP(address=mail_server.host, port=mail_server.port, ssl=False).save("mx")
    server.run("work-pool", "create", "default-process", "--type", "process")
    exec(_PYTHON[-1], {})  # noqa: S102 - our own example
    deploy = "prefect --no-prompt deploy flows/flow_000.py:report --name one --pool default-process"
    run = "prefect deployment run flow-000/one && prefect worker start --run-once"
    _shell(server, f"sed -i s/prefect_email/company_mail/ flows/flow_000.py; {deploy}")
    _shell(server, f"export PYTHONPATH=$PWD; {run} --pool default-process")
    (mail,) = mail_server.mails
    assert mail.message["From"] == "Flows <flows@example.org>"


def _shell(server: PrefectServer, code: str) -> str:
    return run_shell(code, server.client_environment | {"PYTHONPATH": str(Path.cwd())})


def _text(mail: ReceivedMail) -> str:
    part = mail.message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())
