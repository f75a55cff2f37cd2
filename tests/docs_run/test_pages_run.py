"""Every example of every page runs, against a real Prefect server and real mail servers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from prefect_smtp_relay import send_an_email
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.docs_run.conftest import USERS, Substitute
from tests.docs_run.reader import FILE_NAME, Reader
from tests.pages import Page, page, pages
from tests.rooms import ROOT
from tests.transports.sendgrid.api_server import ApiServer

ELSEWHERE = {
    "docs/start.md": "tests/deployments/test_start.py",
    "docs/how-to/ci.md": "tests/docs_run/test_ci.py",
    "docs/how-to/existing-flows.md": "tests/server/test_existing_flows.py",
    "docs/how-to/many-workers.md": "tests/fleet/test_how_to.py",
    "docs/how-to/migrate.md": "tests/docs_run/test_migrate.py",
    "docs/how-to/prefect-cloud.md": "tests/server/test_prefect_cloud.py",
    "docs/how-to/secrets.md": "tests/docs_run/test_secrets_page.py",
}
"""Pages whose examples need more than one server and a folder, and the tests that run them."""

_SAVED = re.compile(r'(SMTP|SendGrid)\((?:[^()]|\([^()]*\))*\)\.save\("([^"]+)"')

WITH_TESTS = {f"docs/how-to/{name}.md" for name in ("connect-smtp", "oauth", "preview", "send")}
"""Pages that have a test of their own below."""

EXAMPLES = [
    each
    for each in pages()
    if each.blocks("python", "bash") and each.name not in {*ELSEWHERE, *WITH_TESTS}
]


@pytest.fixture
def reader(
    request: pytest.FixtureRequest,
    substitute: Substitute,
    answers: dict[str, str],
    working_directory: Path,
) -> Reader:
    """Somebody who does what this page says."""
    del working_directory
    tmp_path: Path = request.getfixturevalue("tmp_path")
    read: Page = request.param
    environment = {
        **answers,
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        "PREFECT_HOME": str(tmp_path),
    }
    return Reader(read, substitute, environment, tmp_path)


def only(name: str) -> pytest.MarkDecorator:
    """Let a test read this page, and no other."""
    return pytest.mark.parametrize("reader", [page(name)], indirect=True, ids=[name])


def read(reader: Reader) -> None:
    """Read a page, and send a mail through each relay that it has saved."""
    for block in reader.read():
        for block_type, name in [] if FILE_NAME.match(block.code) else _SAVED.findall(block.code):
            if f'{block_type}.delete("{name}")' not in block.code:
                relay = f"{block_type.lower()}/{name}"
                assert send_an_email.fn("ann@example.org", "Saved", "b", relay=relay).relay == relay


@pytest.mark.usefixtures("connected", "result_storage")
@pytest.mark.parametrize("reader", EXAMPLES, indirect=True, ids=lambda page: page.name)
def test_every_block_of_a_page_runs_and_every_relay_it_saves_takes_mail(reader: Reader) -> None:
    """The blocks of a page run one after the other as they are, without those of another page."""
    read(reader)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_other_examples_are_run_by_a_test_that_names_their_page(name: str) -> None:
    """Whoever moves that page finds its test."""
    assert Path(name).stem in ROOT.joinpath(ELSEWHERE[name]).read_text(encoding="utf-8")


@pytest.mark.usefixtures("connected", "result_storage")
@only("how-to/send")
def test_the_mails_of_the_first_examples(
    reader: Reader, servers: dict[int, MailServer], capsys: pytest.CaptureFixture[str]
) -> None:
    """They print what the page says, go encrypted, and have the files that they name."""
    read(reader)
    [printed] = [block.code for block in reader.page.blocks("text")]
    assert printed in capsys.readouterr().out
    mails = servers[587].mails
    assert all(mail.encrypted for mail in mails)
    assert {mail.username for mail in mails} == {*USERS, ""}
    files = [{part.get_filename() for part in mail.message.walk()} for mail in mails]
    assert any({"report.pdf", "latency.csv", "latency.png"} <= names for names in files)


@pytest.mark.usefixtures("result_storage")
@only("how-to/connect-smtp")
def test_the_page_on_connecting_shows_what_the_command_prints(
    reader: Reader, servers: dict[int, MailServer]
) -> None:
    """``status`` says which relay takes the next mail, in the words of the page."""
    read(reader)
    shown = next(b.code for b in reader.page.blocks("text") if b.code.startswith("Prefect API:"))
    printed = reader.printed.replace(
        reader.environment["PREFECT_API_URL"], "http://127.0.0.1:4200/api"
    )
    printed = printed.replace(f":{servers[587].port}", ":587")
    printed = printed.replace(f"{servers[587].host}:587", "smtp.example.org:587")
    assert shown in printed


@pytest.mark.usefixtures("result_storage")
@only("how-to/oauth")
def test_each_application_gets_its_token(reader: Reader, token_endpoint: ApiServer) -> None:
    """A mail through each relay of the page asks that relay's token endpoint."""
    read(reader)
    paths = [request.path for request in token_endpoint.requests]
    assert paths == ["/token", "/TENANT_ID/oauth2/v2.0/token"]


@pytest.mark.usefixtures("result_storage")
@only("how-to/preview")
def test_a_flow_leaves_its_mail_in_files(reader: Reader, working_directory: Path) -> None:
    """The command of the page runs the page's flow, whose mail becomes three files."""
    read(reader)
    files = sorted(file.suffix for file in (working_directory / "mails").iterdir())
    assert files == [".eml", ".html", ".txt"]
