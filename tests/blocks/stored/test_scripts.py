"""The scripts in blocks/, and Prefect's own registration, as a person runs them."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL

from prefect_smtp_relay import SMTP, SendAnEmail, SendGrid
from prefect_smtp_relay.runtime import catalog

ROOT = Path(__file__).parents[3]
CANARY = "canary-4f1c9b-never-shown"


class Run(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the scripts would read from the developer's own environment."""
    for name in [name for name in os.environ if name.startswith(("SMTP_", "SENDGRID_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def run() -> Callable[..., Run]:
    """Run a command against the server, with these variables."""
    inherited = os.environ | {"PREFECT_API_URL": str(PREFECT_API_URL.value())}

    def run_one(*command: str, **variables: str) -> Run:
        done = subprocess.run(  # noqa: S603  # our own scripts, by our own interpreter
            [sys.executable, *command],
            env=inherited | variables,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert CANARY not in done.stdout + done.stderr
        return Run(done.returncode, done.stdout, done.stderr)

    return run_one


def _forget_types(client: SyncPrefectClient) -> None:
    for block_type in client.read_block_types():
        if block_type.slug in {"smtp", "sendgrid", "send-an-email"}:
            client.request("DELETE", "/block_types/{id}", path_params={"id": block_type.id})


def _field_names(client: SyncPrefectClient, slug: str) -> set[str]:
    block_type = client.read_block_type_by_slug(slug)
    schema = client.get_most_recent_block_schema_for_block_type(block_type.id)
    assert schema is not None
    return set(schema.fields["properties"])


def test_register_makes_all_types_known(run: Callable[..., Run], client: SyncPrefectClient) -> None:
    """The schemas land in the API with all their fields, and running twice changes nothing."""
    _forget_types(client)
    names = ("SMTP", "SendGrid", "Notification by Email")
    expected = (0, "".join(f"Registered the block type {name}.\n" for name in names), "")
    assert run("blocks/register.py") == expected
    for block in (SMTP, SendGrid, SendAnEmail):
        assert _field_names(client, block.get_block_type_slug()) == set(block.model_fields)
    assert run("blocks/register.py") == expected


def test_prefects_own_command_registers_all_types(
    run: Callable[..., Run], client: SyncPrefectClient
) -> None:
    """``prefect block register -m prefect_smtp_relay`` finds the lazy names, and these only."""
    _forget_types(client)
    done = run("-m", "prefect", "block", "register", "-m", "prefect_smtp_relay")
    assert done.code == 0
    assert "Successfully registered 3 blocks" in done.out
    for block in (SMTP, SendGrid, SendAnEmail):
        assert block.get_block_type_name() in done.out
        assert _field_names(client, block.get_block_type_slug()) == set(block.model_fields)


def test_the_collection_entry_point_loads_the_classes() -> None:
    """Prefect's server finds the block classes through the group ``prefect.collections``."""
    points = [p for p in entry_points(group="prefect.collections") if "smtp" in p.name]
    loaded = [getattr(point.load(), "__dict__", {}) for point in points]
    for block in (SMTP, SendGrid, SendAnEmail):
        assert any(block in names.values() for names in loaded)


def test_an_smtp_server_is_connected_from_the_environment(run: Callable[..., Run]) -> None:
    """The output names variables only, and running again updates the document."""
    variables = {
        "SMTP_ADDRESS": "mx.example.org",
        "SMTP_PORT": "2525",
        "SMTP_USERNAME": CANARY,
        "SMTP_PASSWORD": CANARY,
        "SMTP_SSL": "false",
        "SMTP_PRIORITY": "",
        "SMTP_BLOCK_NAME": "from-env",
    }
    first = run("blocks/connect_smtp.py", **variables)
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("Connected smtp/from-env, from SMTP_ADDRESS, SMTP_PORT, ")
    assert (
        run("blocks/connect_smtp.py", **(variables | {"SMTP_ADDRESS": "new.example.org"})) == first
    )
    block = catalog.named("smtp/from-env")
    assert isinstance(block, SMTP)
    assert (block.address, block.port, block.ssl) == ("new.example.org", 2525, False)
    assert block.password.get_secret_value() == CANARY
    assert block.priority == 0


def test_a_sendgrid_account_is_connected_from_the_environment(run: Callable[..., Run]) -> None:
    """The key, the sender and a list of categories are taken over."""
    done = run(
        "blocks/connect_sendgrid.py",
        SENDGRID_API_KEY=CANARY,
        SENDGRID_FROM_ADDRESS="ops@example.org",
        SENDGRID_CATEGORIES="incidents, prefect",
    )
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "Connected sendgrid/default, from SENDGRID_API_KEY, SENDGRID_FROM_ADDRESS,"
        " SENDGRID_CATEGORIES.\nThe next mail goes through sendgrid/default.\n"
    )
    block = catalog.named("sendgrid/default")
    assert isinstance(block, SendGrid)
    assert block.api_key.get_secret_value() == CANARY
    assert block.categories == ["incidents", "prefect"]


@pytest.fixture
def refusal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run a script that has to fail, in this process: starting one costs a second and more."""

    def run_one(script: str, **variables: str) -> str:
        monkeypatch.syspath_prepend(ROOT / "blocks")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / "blocks" / script), run_name="__main__")
        shown = capsys.readouterr()
        assert (ended.value.code, shown.out) == (2, "")
        return shown.err

    return run_one


@pytest.mark.parametrize(
    ("script", "variables", "missing"),
    [
        ("connect_smtp.py", {}, "SMTP_ADDRESS"),
        ("connect_smtp.py", {"SMTP_ADDRESS": "", "SMTP_PASSWORD": CANARY}, "SMTP_ADDRESS"),
        ("connect_sendgrid.py", {}, "SENDGRID_API_KEY"),
    ],
)
def test_what_is_missing_is_said(
    refusal: Callable[..., str], script: str, variables: dict[str, str], missing: str
) -> None:
    """An empty variable is a missing one; the exit code is 2."""
    assert refusal(script, **variables) == f"Not connected: set {missing}.\n"


@pytest.mark.parametrize(
    ("script", "variables", "field"),
    [
        ("connect_smtp.py", {"SMTP_PORT": "many"}, "SMTP_PORT"),
        ("connect_smtp.py", {"SMTP_ADDRESS": "smtp://mx.example.org"}, "SMTP_ADDRESS"),
        ("connect_smtp.py", {"SMTP_PASSWORD": CANARY}, "SMTP_USERNAME"),
        ("connect_smtp.py", {"SMTP_BLOCK_NAME": "My relay!"}, "SMTP_BLOCK_NAME"),
        ("connect_sendgrid.py", {"SENDGRID_API_KEY": f"two {CANARY}"}, "SENDGRID_API_KEY"),
        ("connect_sendgrid.py", {"SENDGRID_API_URL": f"https://u:{CANARY}@h"}, "SENDGRID_API_URL"),
    ],
)
def test_a_wrong_value_names_its_field(
    refusal: Callable[..., str],
    client: SyncPrefectClient,
    script: str,
    variables: dict[str, str],
    field: str,
) -> None:
    """The variable is named, the value is not shown, the exit code is 2, and nothing is saved."""
    required = {"SMTP_ADDRESS": "mx.example.org", "SENDGRID_API_KEY": CANARY}
    told = refusal(script, **(required | variables))
    assert told.startswith(f"Not connected: {field}: ")
    assert CANARY not in told
    assert client.read_block_documents() == []
