"""What ``init`` writes, keeps and refuses before it asks the Prefect API."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from ruamel.yaml import YAML

RunCli = Callable[..., Any]
_ANN = "On call <oncall@example.org>"


@pytest.fixture
def write(run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run ``init --no-deploy`` in an empty directory."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return lambda *words: run_cli("init", "--no-deploy", *words)


def _deployments() -> dict[str, dict[str, Any]]:
    document = YAML(typ="safe").load(Path("prefect.yaml"))
    return {each["entrypoint"].rpartition(".")[2]: each for each in document["deployments"]}


def test_the_files_are_written_once(write: RunCli) -> None:
    """The second run changes nothing, and each says what to run next."""
    first, second = write(), write()
    assert first.out.splitlines()[:2] == [
        "file         prefect.yaml: created",
        "file         automations.yaml: created",
    ]
    assert second.out.count(": unchanged") == 2
    assert first.out.endswith("Nothing was deployed. Run `prefect-smtp-relay init` to do so.\n")
    assert set(_deployments()) == {
        "check_relay",
        "send_test_mail",
        "relay_status",
        "flush_outbox",
        "queue_delayed_again",
        "send_grouped",
    }


def test_the_flows_that_mail_people_come_with_their_recipients(write: RunCli) -> None:
    """A file that nobody has edited takes what is chosen later, and keeps what was before."""
    write("--pool", "kubernetes: eu")
    run = write("--recipient", _ANN, "--recipient", "ops@example.org")
    assert "prefect.yaml: updated" in run.out
    deployments = _deployments()
    digest = deployments["mail_digest"]
    assert digest["parameters"]["recipients"] == [_ANN, "ops@example.org"]
    assert {each["work_pool"]["name"] for each in deployments.values()} == {"kubernetes: eu"}
    assert len(deployments) == 10


def test_what_was_edited_is_kept(write: RunCli) -> None:
    """A choice that would not reach the file is refused; --overwrite writes it anew."""
    write("--recipient", _ANN)
    file = Path("prefect.yaml")
    edited = file.read_text("utf-8").replace("log_lines: 10", "log_lines: 20")
    file.write_text(edited, "utf-8")
    assert "prefect.yaml: kept, as it was edited" in write().out
    refused = write("--pool", "other")
    assert (refused.code, file.read_text("utf-8")) == (2, edited)
    assert refused.err.startswith("prefect.yaml was edited, and is kept: --pool and --recipient")
    assert "prefect.yaml: updated" in write("--pool", "other", "--overwrite").out
    assert _deployments()["mail_digest"]["work_pool"] == {"name": "other"}


@pytest.mark.parametrize("text", [b"deployments: [", b"\xff\xfe"], ids=["syntax", "encoding"])
def test_what_cannot_be_read_is_overwritten(write: RunCli, text: bytes) -> None:
    """As the refusal says."""
    file = Path("prefect.yaml")
    file.write_bytes(text)
    refused = write()
    assert (refused.code, file.read_bytes()) == (2, text)
    assert "Fix it, or use --overwrite." in refused.err
    assert "prefect.yaml: updated" in write("--overwrite").out
    assert "check_relay" in _deployments()


def test_one_recipient_need_not_be_a_list(write: RunCli) -> None:
    """Whoever has edited the file so keeps that recipient when it is written anew."""
    write("--recipient", _ANN)
    file = Path("prefect.yaml")
    text = file.read_text("utf-8")
    file.write_text(text.replace(f'&recipients\n    - "{_ANN}"', f"&recipients {_ANN}"), "utf-8")
    assert "prefect.yaml: updated" in write("--overwrite").out
    assert file.read_text("utf-8") == text


def test_a_directory_is_made(write: RunCli) -> None:
    """So that the files of another project are left alone."""
    run = write("mail/relay")
    assert Path("mail/relay/automations.yaml").is_file()
    assert "Run `prefect-smtp-relay init mail/relay`" in run.out


def test_json_names_the_files(write: RunCli) -> None:
    """For programs, as every command."""
    document = json.loads(write("--json").out)
    assert document == {"files": {"prefect.yaml": "created", "automations.yaml": "created"}}


def test_a_recipient_is_checked(write: RunCli) -> None:
    """Nothing is written for one that is not an address."""
    run = write("--recipient", "oncall")
    assert run.code == 2
    assert run.err.startswith("--recipient: 'oncall'")
    assert not Path("prefect.yaml").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "deployments: [",
            "prefect.yaml, line 1: is not YAML in UTF-8. Fix it, or use --overwrite.",
        ),
        ("- a", "prefect.yaml: deployments: is not a list of entries."),
        ("deployments: [{name: mine, entrypoint: a.py:b}]", "prefect.yaml deploys no flow of"),
        (
            "deployments: [{name: x, entrypoint: prefect_smtp_relay.flows.x, triggers: []}]",
            "prefect.yaml: x: work_pool: Field required. Fix it, or deploy it with",
        ),
        (
            "deployments: [{name: x, entrypoint: prefect_smtp_relay.flows.x,"
            " work_pool: {name: p}, triggers: []}]",
            "prefect.yaml: x: triggers: Extra inputs are not permitted. Fix it, or deploy it with",
        ),
    ],
    ids=["syntax", "list", "other project", "missing", "unknown"],
)
def test_a_file_that_cannot_be_deployed(
    run_cli: RunCli, write: RunCli, text: str, told: str
) -> None:
    """It is named with what to change, and kept, before the API is asked."""
    write()
    Path("prefect.yaml").write_text(text, "utf-8")
    run = run_cli("init")
    assert (run.code, Path("prefect.yaml").read_text("utf-8")) == (2, text)
    assert run.err.startswith(told)


def test_without_a_server_it_says_what_to_run(run_cli: RunCli, write: RunCli) -> None:
    """A temporary server would keep no worker busy and watch no automation."""
    del write
    with temporary_settings({PREFECT_API_URL: None}):
        run = run_cli("init")
    assert run.code == 2
    assert run.err.startswith("PREFECT_API_URL is not set.")
    assert "prefect config set PREFECT_API_URL=http://127.0.0.1:4200/api" in run.err
    assert not Path("prefect.yaml").exists()


def test_an_api_that_does_not_answer_is_told(run_cli: RunCli, write: RunCli) -> None:
    """Without a traceback; the files are there for the next run."""
    write()
    run = run_cli("init")
    assert run.code == 1
    assert "Check PREFECT_API_URL and that the server runs." in run.err
