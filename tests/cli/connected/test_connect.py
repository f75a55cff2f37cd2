"""``connect``: checks before it saves, and says what the next mail will use."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL

from prefect_smtp_relay import SMTP, SendGrid, send_an_email
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.cli.connected.terminal import Dialogue, converse

RunCli = Callable[..., Any]
CANARY = "canary-31f0-never-shown"
USER = "flows@example.org"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the commands would read from the developer's own environment."""
    for name in [name for name in os.environ if name.startswith(("SMTP_", "SENDGRID_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def tls_server(certificates: Certificates) -> Iterator[MailServer]:
    """A server with STARTTLS, and with one account whose password must never be shown."""
    with MailServer("starttls", certificates.server_context, users={USER: CANARY}) as server:
        yield server


@pytest.fixture
def connect(
    run_cli: RunCli, tls_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Connect the server with its password on stdin."""

    def run(*words: str, stdin: str = CANARY) -> Any:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{stdin}\n"))
        place = ("--address", "localhost", "--port", str(tls_server.port), "--username", USER)
        done = run_cli("connect", "smtp", *place, "--password-stdin", *words)
        assert CANARY not in done.out + done.err
        return done

    return run


def test_a_server_is_checked_and_saved(connect: Callable[..., Any], tls_server: MailServer) -> None:
    """The report is shown, the document holds the fields, and the next mail goes through it."""
    run = connect("--name", "team", "--from-address", "Ops <ops@example.org>")
    assert (run.code, run.err) == (0, "")
    assert "accepted, with PLAIN" in run.out
    assert run.out.endswith("Connected smtp/team.\nThe next mail goes through smtp/team.\n")
    block = catalog.named("smtp/team")
    assert isinstance(block, SMTP)
    assert (block.port, block.from_address) == (tls_server.port, "Ops <ops@example.org>")
    assert block.password.get_secret_value() == CANARY
    receipt = send_an_email.fn("ann@example.org", "Subject", "Body")
    assert (receipt.relay, receipt.outcome) == ("smtp/team", "accepted")
    assert len(tls_server.mails) == 1


def test_the_type_is_registered_first(
    connect: Callable[..., Any], client: SyncPrefectClient
) -> None:
    """A workspace that has never seen the block type gets it with the first relay."""
    block_type = client.read_block_type_by_slug("smtp")
    client.request("DELETE", "/block_types/{id}", path_params={"id": block_type.id})
    assert connect().code == 0
    assert client.read_block_type_by_slug("smtp").name == "SMTP"


def test_what_fails_is_not_saved(connect: Callable[..., Any], client: SyncPrefectClient) -> None:
    """A failed step ends with exit code 1, the report and no document; JSON says the same."""
    run = connect(stdin="wrong password")
    assert run.code == 1
    assert "  failed   login" in run.out
    assert run.err.startswith("Not connected: a step failed.")
    document = json.loads(connect("--json", stdin="wrong password").out)
    assert (document["connected"], document["relay"]) == (False, "smtp/default")
    assert any(step["outcome"] == "failed" for step in document["report"]["steps"])
    assert client.read_block_documents() == []


def test_saving_without_a_check(connect: Callable[..., Any], tls_server: MailServer) -> None:
    """--no-check asks no server."""
    run = connect("--no-check", stdin="wrong password")
    assert (run.code, tls_server.connections) == (0, 0)
    assert run.out == "Connected smtp/default.\nThe next mail goes through smtp/default.\n"


def test_a_document_is_not_overwritten_unasked(
    connect: Callable[..., Any], tls_server: MailServer
) -> None:
    """The refusal comes before the check; --overwrite replaces the fields."""
    assert connect("--no-check", "--priority", "1").code == 0
    run = connect("--priority", "2")
    assert (run.code, run.out, tls_server.connections) == (2, "", 0)
    assert "--overwrite" in run.err
    assert connect("--no-check", "--overwrite", "--priority", "3").code == 0
    assert catalog.connected()[0].priority == 3


def test_another_relay_may_still_take_the_next_mail(connect: Callable[..., Any]) -> None:
    """What is connected is one thing, what the next mail uses another."""
    SMTP(address="mx.example.org", priority=9).save("first")
    run = connect("--no-check")
    assert run.out.endswith("The next mail goes through smtp/first.\n")


def test_a_preset_fills_in_the_fields(connect: Callable[..., Any], tls_server: MailServer) -> None:
    """Options go before the preset's values."""
    assert connect("--no-check", "--preset", "microsoft365").code == 0
    block = catalog.preferred()
    assert isinstance(block, SMTP)
    assert (block.address, block.port) == ("localhost", tls_server.port)
    assert (block.authentication, block.ssl_verify_mode, block.ssl) == ("login", "peer", False)


def test_connecting_from_the_environment(
    run_cli: RunCli, tls_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables are named, their values not shown; the name comes from there too."""
    for name, value in {
        "SMTP_ADDRESS": "localhost",
        "SMTP_PORT": str(tls_server.port),
        "SMTP_USERNAME": USER,
        "SMTP_PASSWORD": CANARY,
        "SMTP_BLOCK_NAME": "from-env",
    }.items():
        monkeypatch.setenv(name, value)
    run = run_cli("connect", "smtp", "--from-env")
    assert (run.code, run.err) == (0, "")
    variables = "SMTP_ADDRESS, SMTP_PORT, SMTP_USERNAME, SMTP_PASSWORD"
    assert f"Connected smtp/from-env, from {variables}.\n" in run.out
    assert CANARY not in run.out


ADDRESS = ("--address", "mx.example.org")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--address is missing"),
        (("--address", "smtp://mx.example.org"), "*Address* (`address`): "),
        ((*ADDRESS, "--name", "My Relay"), "--name: "),
        ((*ADDRESS, "--username", "ann"), "password is missing"),
        (("--from-env",), "set SMTP_ADDRESS."),
        (("--preset", "gmial"), "Did you mean gmail?"),
    ],
)
def test_wrong_uses_save_nothing(
    run_cli: RunCli, client: SyncPrefectClient, words: tuple[str, ...], told: str
) -> None:
    """Exit code 2 and one line that names what to change."""
    run = run_cli("connect", "smtp", *words)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("Not connected: ")
    assert told in run.err
    assert client.read_block_documents() == []


@pytest.fixture
def talk() -> Callable[..., Dialogue]:
    """Run the installed command at a terminal, against the test server."""

    def run(*words: str, answers: dict[str, str]) -> Dialogue:
        environment = os.environ | {"PREFECT_API_URL": str(PREFECT_API_URL.value())}
        dialogue = converse(list(words), answers, environment)
        assert CANARY not in dialogue.out + dialogue.seen
        return dialogue

    return run


def test_a_person_is_asked_for_what_is_missing(
    talk: Callable[..., Dialogue], tls_server: MailServer
) -> None:
    """The password is not echoed, the recommended settings are taken over, stdout is the answer."""
    dialogue = talk(
        "connect",
        "smtp",
        answers={
            "Address of the SMTP server: ": "localhost",
            "Port (587): ": str(tls_server.port),
            "Username (empty for none): ": USER,
            "From address where a flow names none (empty for none): ": "ops@example.org",
            "The password: ": CANARY,
            "Use the recommended settings [y/n] (n): ": "y",
        },
    )
    assert dialogue.code == 0
    assert "This server takes STARTTLS" in dialogue.seen
    assert dialogue.out.endswith(
        "Connected smtp/default.\nThe next mail goes through smtp/default.\n"
    )
    block = catalog.preferred()
    assert isinstance(block, SMTP)
    assert (block.ssl, block.enable_starttls) == (False, True)
    assert block.password.get_secret_value() == CANARY


def test_a_person_is_asked_for_the_secrets_of_oauth(talk: Callable[..., Dialogue]) -> None:
    """Where there is a token URL, no password is asked for, and the secrets are not echoed."""
    application = ("--oauth-token-url", "https://id.example.org/token", "--oauth-client-id", "app")
    dialogue = talk(
        *("connect", "smtp", "--no-check", "--authentication", "xoauth2", *application),
        answers={
            "Address of the SMTP server: ": "mx.example.org",
            "Port (587): ": "",
            "Username (empty for none): ": USER,
            "From address where a flow names none (empty for none): ": "",
            "The OAuth client secret (empty for none): ": CANARY,
            "The OAuth refresh token (empty for client credentials): ": "",
        },
    )
    assert dialogue.code == 0
    assert "The password" not in dialogue.seen
    block = catalog.preferred()
    assert isinstance(block, SMTP)
    assert block.oauth_client_secret.get_secret_value() == CANARY
    assert not block.oauth_refresh_token


def test_a_service_without_passwords_asks_for_none(talk: Callable[..., Dialogue]) -> None:
    """What it takes is an access token, and the question says how else to come by one."""
    dialogue = talk(
        *("connect", "smtp", "--preset", "outlook", "--username", USER, "--from-address", ""),
        "--no-check",
        answers={"The OAuth access token (to fetch tokens, press Ctrl-C and use --oauth-": CANARY},
    )
    assert dialogue.code == 0
    block = catalog.preferred()
    assert isinstance(block, SMTP)
    assert (block.authentication, block.password.get_secret_value()) == ("xoauth2", CANARY)


def test_a_person_is_asked_again_where_the_answer_is_wrong(
    talk: Callable[..., Dialogue],
) -> None:
    """Each question shows at once what its field refuses, without a secret, and is asked again."""
    dialogue = talk(
        *("connect", "smtp", "--no-check"),
        answers={
            "Address of the SMTP server: ": "",
            "*Address* (`address`): is empty": "smtp://localhost",
            "*Address* (`address`): has a scheme": "localhost",
            "Port (587): ": "70000",
            "*Port* (`port`): ": "2525",
            "Username (empty for none): ": USER,
            "From address where a flow names none (empty for none): ": "nobody",
            "*From address* (`from_address`): ": "ops@example.org",
            "The password: ": "",
            "press Ctrl-C to stop.\x1b[0m\r\nThe password: ": "********",
            "\r\nThe password: ": CANARY,
        },
    )
    assert dialogue.code == 0
    assert "*Password* (`password`): has asterisks" in dialogue.seen
    block = catalog.preferred()
    assert isinstance(block, SMTP)
    assert (block.address, block.port) == ("localhost", 2525)
    assert block.password.get_secret_value() == CANARY


class _Users(dict[str, str]):
    """Accounts that count how often somebody tried to log in."""

    tries = 0

    def get(self, name: str, *_: Any) -> str | None:  # type: ignore[override]  # narrower
        """Count, and return the password."""
        self.tries += 1
        return self[name]


def test_a_wrong_password_is_tried_once_and_asked_for_again(
    talk: Callable[..., Dialogue], certificates: Certificates
) -> None:
    """Every other answer is kept; a mailbox must not be locked for a password known to be wrong."""
    users = _Users({USER: CANARY})
    with MailServer("starttls", certificates.server_context, users=users) as server:
        dialogue = talk(
            *("connect", "smtp", "--address", "localhost", "--port", str(server.port)),
            answers={
                "Username (empty for none): ": USER,
                "From address where a flow names none (empty for none): ": "ops@example.org",
                "The password: ": "mistyped",
                "Username (empty to keep it): ": "",
                "The password (empty to keep it): ": CANARY,
                "Use the recommended settings [y/n] (n): ": "y",
            },
        )
    assert (dialogue.code, users.tries) == (0, 3)  # the last one with the settings
    block = catalog.preferred()
    assert isinstance(block, SMTP)
    assert block.username.get_secret_value() == USER
    assert (block.from_address, block.enable_starttls) == ("ops@example.org", True)


def test_a_person_who_connects_from_the_environment_is_asked_nothing(
    talk: Callable[..., Dialogue], tls_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a script at a terminal does it: the report says what is wrong."""
    for name, value in {
        "SMTP_ADDRESS": "localhost",
        "SMTP_PORT": str(tls_server.port),
        "SMTP_USERNAME": USER,
        "SMTP_PASSWORD": "mistyped",
    }.items():
        monkeypatch.setenv(name, value)
    dialogue = talk("connect", "smtp", "--from-env", answers={})
    assert dialogue.code == 1
    assert "  failed   login" in dialogue.out
    assert catalog.connected() == []


def test_an_address_that_is_wrong_is_asked_for_again(
    talk: Callable[..., Dialogue], tls_server: MailServer
) -> None:
    """Who gives up by an empty answer has saved nothing."""
    place = ("--address", "no-such-host.invalid", "--port", str(tls_server.port))
    dialogue = talk(
        *("connect", "smtp", *place, "--username", "", "--from-address", ""),
        answers={
            "Address of the SMTP server (empty to keep it): ": "no-such-host-either.invalid",
            "\nAddress of the SMTP server (empty to keep it): ": "",
        },
    )
    assert dialogue.code == 1
    assert "Not connected: a step failed." in dialogue.seen
    assert catalog.connected() == []


def test_a_person_may_keep_the_own_settings(
    talk: Callable[..., Dialogue], tls_server: MailServer
) -> None:
    """A no keeps what was given, and a failed step still saves nothing."""
    dialogue = talk(
        *("connect", "smtp", "--address", "localhost", "--port", str(tls_server.port)),
        *("--no-enable-starttls-auto", "--username", "", "--from-address", ""),
        answers={"Use the recommended settings [y/n] (n): ": ""},
    )
    assert dialogue.code == 1
    assert "Not connected: a step failed." in dialogue.seen
    assert catalog.connected() == []


def test_a_report_that_no_answer_corrects_is_shown_once(talk: Callable[..., Dialogue]) -> None:
    """Nothing is asked about it, so the answer of the command is the place to read it."""
    with MailServer() as server:
        place = ("--address", "localhost", "--port", str(server.port))
        dialogue = talk(
            *("connect", "smtp", *place, "--username", "", "--from-address", ""), answers={}
        )
    assert dialogue.code == 1
    assert (dialogue.out.count("  failed   TLS"), dialogue.seen.count("  failed   TLS")) == (1, 0)


class _Api(BaseHTTPRequestHandler):
    scopes = ("mail.send",)

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == f"Bearer {CANARY}"
        documents = {"/v3/scopes": {"scopes": self.scopes}}
        body = json.dumps(documents.get(self.path, {}) if known else {"errors": []}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing on stderr."""


@pytest.fixture
def api_url() -> Iterator[str]:
    """A local SendGrid that knows one key."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("key", "code"), [(CANARY, 0), ("SG.other", 1)])
def test_a_sendgrid_account_is_checked_and_saved(
    run_cli: RunCli, api_url: str, monkeypatch: pytest.MonkeyPatch, key: str, code: int
) -> None:
    """A key that SendGrid knows is saved, another is not; neither is shown."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{key}\n"))
    run = run_cli("connect", "sendgrid", "--api-key-stdin", "--api-url", api_url)
    assert run.code == code
    assert key not in run.out + run.err
    assert [relay.name for relay in catalog.connected()] == ["sendgrid/default"][: 1 - code]
    if not code:
        assert isinstance(catalog.preferred(), SendGrid)
        assert run_cli("check", "sendgrid/default").code == 0


def test_a_person_is_asked_for_the_key(talk: Callable[..., Dialogue], api_url: str) -> None:
    """Typed without an echo, and asked for again where SendGrid does not know it."""
    dialogue = talk(
        *("connect", "sendgrid", "--api-url", api_url, "--json"),
        answers={
            "From address": "",
            "The API key: ": "SG.mistyped",
            "The API key (empty to keep it): ": CANARY,
        },
    )
    assert dialogue.code == 0
    assert json.loads(dialogue.out)["connected"] is True
