"""The choice of the relay, against a real Prefect server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_smtp_relay import SMTP, SendGrid
from prefect_smtp_relay.blocks.documents import Connected, in_order
from prefect_smtp_relay.blocks.relays import RelayBlock
from prefect_smtp_relay.exceptions import (
    EmailError,
    RelayConfigurationError,
    RelayLookupFailed,
    UnknownRelay,
)
from prefect_smtp_relay.runtime import catalog


def smtp(name: str, priority: int = 0) -> None:
    """Connect an SMTP server."""
    SMTP(address="mx.example.org", priority=priority).save(name, overwrite=True)


def sendgrid(name: str, priority: int = 0) -> None:
    """Connect a SendGrid account."""
    SendGrid(api_key="SG.key", priority=priority).save(name, overwrite=True)


def chosen() -> str:
    """Name the relay that takes the next mail."""
    block = catalog.preferred()
    return block.relay_name if block else "nothing"


def save_as_the_ui_does(
    client: SyncPrefectClient, name: str, slug: str = "smtp", /, **fields: object
) -> None:
    """Change a document's fields without any validator, as Prefect's UI does."""
    document = client.read_block_document_by_name(name, slug)
    data = {**document.data, **fields}
    response = client.request(
        "PATCH",
        "/block_documents/{id}",
        path_params={"id": document.id},
        json={"data": data, "merge_existing_data": False},
    )
    response.raise_for_status()


def test_nothing_connected_is_no_relay() -> None:
    """Without a block document there is no relay."""
    assert chosen() == "nothing"


def test_sendgrid_is_used_where_no_smtp_block_exists() -> None:
    """A connected SendGrid account takes the mail."""
    sendgrid("team")
    assert chosen() == "sendgrid/team"


def test_smtp_goes_before_sendgrid_whatever_the_priorities() -> None:
    """SMTP is used where both are connected."""
    sendgrid("team", priority=99)
    smtp("relay", priority=-1)
    assert chosen() == "smtp/relay"


def test_the_higher_priority_wins_and_ties_go_to_the_older_block() -> None:
    """Among several of one type the highest priority counts, then who was there first."""
    smtp("b-relay", priority=1)
    smtp("c-relay", priority=5)
    smtp("a-relay", priority=5)
    smtp("c-relay", priority=5)  # an edit makes no block younger
    assert [c.name for c in catalog.connected()] == ["smtp/c-relay", "smtp/a-relay", "smtp/b-relay"]
    assert chosen() == "smtp/c-relay"


def test_blocks_of_the_same_age_go_by_name() -> None:
    """As an import of a whole workspace may leave them."""
    made = [Connected("smtp", name, {}, datetime(2026, 1, 1, tzinfo=UTC)) for name in "cab"]
    assert [relay.name for relay in in_order(made)] == ["smtp/a", "smtp/b", "smtp/c"]


def test_who_loses_a_tie_leaves_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """It says which block takes the mail and why, once a process; other priorities are no tie."""
    smtp("main")
    smtp("spare")
    smtp("last", priority=-1)
    sendgrid("team")
    chosen()
    chosen()
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert warning.getMessage() == (
        "smtp/spare takes no mail: smtp/main has the same priority, and is older. Set *Advanced:"
        " Priority* (`priority`) to choose. A second relay takes over after a failure only where"
        " the setting failover is on."
    )


def test_a_disconnect_falls_back_at_the_next_look_up(client: SyncPrefectClient) -> None:
    """Deleting the SMTP document makes SendGrid the next relay, then nothing."""
    smtp("relay")
    sendgrid("team")
    assert chosen() == "smtp/relay"
    client.delete_block_document(client.read_block_document_by_name("relay", "smtp").id)
    assert chosen() == "sendgrid/team"
    client.delete_block_document(client.read_block_document_by_name("team", "sendgrid").id)
    assert chosen() == "nothing"


def test_anonymous_documents_are_not_connected_relays() -> None:
    """A block that Prefect saved for its own use takes no mail."""
    block = SMTP(address="mx.example.org")
    block._save_sync(is_anonymous=True)
    assert chosen() == "nothing"


@pytest.mark.parametrize("name", ["smtp/eu-relay", "sendgrid/team"])
def test_a_named_relay_overrides_the_choice(name: str) -> None:
    """A relay named by the caller is loaded, whatever the priorities."""
    smtp("main", priority=9)
    smtp("eu-relay")
    sendgrid("team")
    block: RelayBlock = catalog.named(name)
    assert block.relay_name == name


@pytest.mark.parametrize("name", ["smtp/none", "sendgrid/none", "smtp", "smtp/", "pigeon/x", ""])
def test_an_unknown_relay_is_an_error(name: str) -> None:
    """A name without a document is an error that quotes it."""
    smtp("main")
    with pytest.raises(UnknownRelay, match=f"'{name}'"):
        catalog.named(name)


def test_an_unknown_relay_lists_those_that_exist() -> None:
    """The error for a wrong name says which names are right."""
    smtp("main")
    with pytest.raises(UnknownRelay, match=r"Connected relays: smtp/main\."):
        catalog.named("smtp/mian")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"port": 99999}, "port"),
        ({"address": ""}, "address"),
        ({"username": "u", "password": ""}, "password"),
        ({"authentication": "ntlm"}, "authentication"),
        ({"pasword": "x"}, "Did you mean 'password'?"),
    ],
)
def test_an_invalid_document_is_an_error_that_names_it(
    client: SyncPrefectClient, fields: dict[str, object], words: str
) -> None:
    """What the UI saved wrongly is named with document and field, never skipped."""
    smtp("broken", priority=1)
    smtp("good")
    sendgrid("team")
    save_as_the_ui_does(client, "broken", **fields)
    with pytest.raises(RelayConfigurationError) as caught:
        catalog.preferred()
    assert "smtp/broken" in str(caught.value)
    assert words in str(caught.value)


def test_an_unreadable_priority_is_an_error_that_names_the_document(
    client: SyncPrefectClient,
) -> None:
    """A priority that is no number leaves the choice unknown, so it is an error."""
    smtp("broken")
    smtp("good")
    save_as_the_ui_does(client, "broken", priority="high")
    with pytest.raises(
        RelayConfigurationError, match=r"smtp/broken: \*Advanced: Priority\* \(`priority`\)"
    ):
        catalog.preferred()


def test_an_unreadable_priority_of_sendgrid_does_not_stop_smtp(client: SyncPrefectClient) -> None:
    """SMTP goes first whatever it is; without SMTP it leaves the choice unknown."""
    sendgrid("broken")
    save_as_the_ui_does(client, "broken", "sendgrid", priority="high")
    with pytest.raises(
        RelayConfigurationError, match=r"sendgrid/broken: \*Advanced: Priority\* \(`priority`\)"
    ):
        catalog.preferred()
    smtp("good")
    assert chosen() == "smtp/good"


def test_a_broken_document_that_is_not_chosen_stops_nobody(client: SyncPrefectClient) -> None:
    """An invalid document of lower priority does not keep the winner from being used."""
    smtp("good", priority=1)
    smtp("broken")
    save_as_the_ui_does(client, "broken", port=99999)
    assert chosen() == "smtp/good"


@pytest.mark.parametrize("cleared", [None, ""])
def test_fields_that_the_ui_cleared_have_their_defaults(
    client: SyncPrefectClient, cleared: str | None
) -> None:
    """A field emptied in the form counts as missing."""
    smtp("main", priority=3)
    save_as_the_ui_does(client, "main", port=cleared, priority=cleared, ssl_verify_mode=cleared)
    block = catalog.preferred()
    assert isinstance(block, SMTP)
    assert (block.port, block.priority, block.ssl_verify_mode) == (587, 0, "none")


def test_more_documents_than_a_page_are_all_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The highest priority is found on whatever page of the API's answer it stands."""
    monkeypatch.setattr(catalog, "_PAGE", 2)
    for number in range(5):
        smtp(f"relay-{number}", priority=number)
    assert chosen() == "smtp/relay-4"


def test_an_api_that_cannot_be_reached_is_not_no_block() -> None:
    """An outage of the API is a transient error, never a fall back."""
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(RelayLookupFailed, match="PREFECT_API_URL") as caught,
    ):
        catalog.preferred()
    assert caught.value.transient


@pytest.fixture
def failing_api(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run an API that answers every request with the status of the test's parameter."""

    class Failing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # http.server finds it by this name
            self.send_response(request.param)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST  # noqa: N815

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("failing_api", "kind"),
    [
        (500, RelayLookupFailed),
        (404, RelayLookupFailed),
        (401, RelayConfigurationError),
        (403, RelayConfigurationError),
    ],
    indirect=["failing_api"],
)
def test_an_api_that_answers_with_an_error_is_not_no_block(
    failing_api: str, kind: type[EmailError]
) -> None:
    """A failing API is transient, a refusing one is a matter of keys; neither means no relay."""
    with (
        temporary_settings({PREFECT_API_URL: failing_api}),
        pytest.raises(kind, match="which relays are connected"),
    ):
        catalog.preferred()
