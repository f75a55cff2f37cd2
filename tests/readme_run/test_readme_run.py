"""Every example in the README runs, against a real Prefect server and real mail servers."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from prefect.settings import get_current_settings

from prefect_smtp_relay import SMTP, send_an_email
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.readme import ROOT, CodeBlock, code_blocks, prose
from tests.transports.sendgrid.api_server import ApiServer, serve
from tests.transports.smtp.sasl_server import SaslServer, grant

_USERS = {"incidents@example.org": "an app password"}
_FILE_NAME = re.compile(r"# (\w+\.py)\n")
_SAVED = re.compile(r'(SMTP|SendGrid)\((?:[^()]|\([^()]*\))*\)\.save\("([^"]+)"')

Substitute = Callable[[str], str]


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """Run an HTTP server that accepts mail as SendGrid does."""
    with serve() as server:
        yield server


@pytest.fixture
def token_endpoint() -> Iterator[ApiServer]:
    """Run an HTTP server that grants an access token to each application."""
    with serve() as server:
        server.answers = [grant("an-access-token"), grant("an-access-token")]
        yield server


@pytest.fixture
def servers(certificates: Certificates) -> Iterator[dict[int, MailServer]]:
    """Run what smtp.example.org stands for: a submission server and an SMTPS server."""
    context = certificates.server_context
    with ExitStack() as stack:
        yield {
            587: stack.enter_context(
                SaslServer("starttls", context, _USERS, tokens={"an-access-token"})
            ),
            465: stack.enter_context(MailServer(security="tls", tls_context=context, users=_USERS)),
        }


@pytest.fixture
def substitute(
    servers: dict[int, MailServer],
    certificates: Certificates,
    api: ApiServer,
    token_endpoint: ApiServer,
) -> Substitute:
    """Put the local servers, and the CA that nobody else trusts, in place of the examples'."""
    table = {
        'address="smtp.example.org"': f'address="{servers[587].host}"',
        "port=587": f"port={servers[587].port}",
        "port=465": f"port={servers[465].port}",
        'ssl_verify_mode="peer",\n    from_address': 'ssl_verify_mode="peer",\n'
        f"    ca_certificate={certificates.ca_pem!r},\n    from_address",
        'address="smtp.gmail.com"': f'address="{servers[587].host}"',
        'address="smtp.office365.com"': f'address="{servers[587].host}"',
        "https://oauth2.googleapis.com/": f"{token_endpoint.url}/",
        "https://login.microsoftonline.com/": f"{token_endpoint.url}/",
        'api_url="https://api.eu.sendgrid.com"': f'api_url="{api.url}"',
    }

    def replaced(code: str) -> str:
        for example, local in table.items():
            code = code.replace(example, local)
        return code

    return replaced


@pytest.fixture
def working_directory(
    tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Work where the files lie that the examples name."""
    path = tmp_path / "work"
    path.mkdir()
    path.joinpath("report.pdf").write_bytes(b"%PDF-1.7")
    path.joinpath("latency.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    path.joinpath("ca.pem").write_text(certificates.ca_pem, encoding="ascii")
    monkeypatch.chdir(path)
    return path


def _python_blocks(*, files: bool) -> list[CodeBlock]:
    blocks = code_blocks("python")
    return [block for block in blocks if bool(_FILE_NAME.match(block.code)) == files]


@pytest.mark.usefixtures("working_directory", "result_storage")
def test_every_python_block_runs_in_order(
    substitute: Substitute,
    servers: dict[int, MailServer],
    api: ApiServer,
    token_endpoint: ApiServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The blocks run one after the other as they stand, and every relay they save takes mail."""
    namespace: dict[str, object] = {"__name__": "readme"}
    blocks = _python_blocks(files=False)
    for block in blocks:
        source = "\n" * block.line + substitute(block.code)
        exec(compile(source, "README.md", "exec"), namespace)  # noqa: S102 - our own examples
        for block_type, name in _SAVED.findall(block.code):
            relay = f"{block_type.lower()}/{name}"
            assert send_an_email.fn("ann@example.org", "Saved", "b", relay=relay).relay == relay
    [printed] = re.findall(r"It prints `(.+?)`", prose())
    assert printed in capsys.readouterr().out
    _check_mails(servers)
    assert [r.payload["from"]["email"] for r in api.requests] == ["incidents@example.org"]
    paths = [request.path for request in token_endpoint.requests]
    assert paths == ["/token", "/TENANT_ID/oauth2/v2.0/token"]


def _check_mails(servers: dict[int, MailServer]) -> None:
    """Look at what the examples submitted over SMTP."""
    mails = [*servers[587].mails, *servers[465].mails]
    assert all(mail.encrypted for mail in mails)
    assert {mail.username for mail in mails} == {*_USERS, ""}
    files = [{part.get_filename() for part in mail.message.walk()} for mail in mails]
    assert any({"report.pdf", "latency.csv", "latency.png"} <= names for names in files)


def test_the_example_tests_pass(tmp_path: Path) -> None:
    """The README's conftest.py and test file pass in a pytest of their own."""
    blocks = _python_blocks(files=True)
    for block in blocks:
        found = _FILE_NAME.match(block.code)
        assert found
        tmp_path.joinpath(found[1]).write_text(block.code, encoding="utf-8")
    done = _run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], tmp_path, {})
    assert "2 passed" in done, done


def test_every_shell_block_runs_or_names_what_exists(tmp_path: Path) -> None:
    """The commands run in their order; make, pip and the benchmark are only looked up."""
    blocks = code_blocks("bash", "console", "sh")
    environment = {
        "PREFECT_API_URL": str(get_current_settings().api.url),
        "PREFECT_HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    printed = ""
    for block in blocks:
        commands = [line for line in block.code.splitlines() if not _is_looked_up(line)]
        printed += _run(["bash", "-euc", "\n".join(commands)], ROOT, environment)
    [connected] = [b.code for b in code_blocks("text") if b.code.startswith("Connected ")]
    assert connected.replace("http://127.0.0.1:4200/api", environment["PREFECT_API_URL"]) in printed


def test_a_block_document_is_encrypted_with_a_key_in_the_same_database(
    prefect_server: Path,
) -> None:
    """Without a key of the operator's, the database holds ciphertext and the key to it."""
    SMTP(
        address="only-in-readme.example", username="only-in-readme", password="only-in-readme"
    ).save("secret")
    with closing(sqlite3.connect(prefect_server / "prefect.db")) as database:
        [(stored,)] = database.execute("SELECT data FROM block_document WHERE name = 'secret'")
        [(key,)] = database.execute("SELECT value FROM configuration WHERE key = 'ENCRYPTION_KEY'")
        assert not any("only-in-readme" in line for line in database.iterdump())
    fields = json.loads(Fernet(json.loads(key)["fernet_key"]).decrypt(json.loads(stored)))
    assert (fields["address"], fields["password"]) == ("only-in-readme.example", "only-in-readme")


def _is_looked_up(command: str) -> bool:
    """Whether a command is too slow to run here; then what it names has to exist."""
    if command.startswith("make "):
        assert f"\n{command.split()[1]}:" in ROOT.joinpath("Makefile").read_text(encoding="utf-8")
    elif command.startswith("pip install "):
        project = ROOT.joinpath("pyproject.toml").read_text(encoding="utf-8")
        assert f'name = "{command.split()[2]}"' in project
    elif command.startswith("python -m "):
        assert importlib.util.find_spec(command.split()[2])
    else:
        return False
    return True


def _run(command: list[str], directory: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - the README's own commands
        command,
        cwd=directory,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
