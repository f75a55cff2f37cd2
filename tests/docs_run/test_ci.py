"""The page on CI: its project's tests pass, and its workflow's steps do what it says."""

from __future__ import annotations

from importlib.metadata import metadata
from pathlib import Path

import pytest
import yaml

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.docs_run.page_runs import HOW_TO, Page, run_shell
from tests.prefect_api import *  # noqa: F403  # the fixtures


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    """Give the page, with its files in the working directory."""
    page = Page(HOW_TO / "ci.md")
    for block in page.blocks("python"):
        tmp_path.joinpath(block.file_name).write_text(block.code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    return page


def test_the_steps_of_the_workflow_pass_and_write_the_mails(page: Page, tmp_path: Path) -> None:
    """The tests pass in a pytest of their own; the flow's mail is there in three forms."""
    (workflow,) = (block.code for block in page.blocks("yaml") if block.file_name)
    steps = yaml.safe_load(workflow)["jobs"]["test"]["steps"]
    commands = {step["name"]: step for step in steps if "run" in step}
    assert commands.pop("Install")["run"].split()[:2] == ["pip", "install"]
    assert "testing" in metadata("prefect-smtp-relay").get_all("Provides-Extra", [])
    assert "2 passed" in run_shell(f"{commands.pop('Test')['run']} -p no:cacheprovider")
    (write,) = commands.values()
    assert run_shell(write["run"], **write["env"]).splitlines()[-1] == "stored"
    kinds = sorted(file.suffix for file in tmp_path.joinpath("mails").iterdir())
    assert kinds == [".eml", ".html", ".txt"]
    assert steps[-1]["with"]["path"] == "mails"


def test_the_check_of_staging_passes_and_fails_with_the_relay(
    page: Page, mail_server: MailServer
) -> None:
    """It exits with 0 while the relay answers, and stops the job once it does not."""
    SMTP(
        address=mail_server.host, port=mail_server.port, ssl=False, from_address="a@example.org"
    ).save("staging")
    shell = "\n".join(block.code for block in page.blocks("bash"))
    printed = run_shell(shell)
    assert "smtp/staging  takes the next mail" in printed
    assert mail_server.mails == []
    mail_server.refused["team@example.org"] = "550 5.7.1 not here"
    with pytest.raises(AssertionError, match=r"550 5\.7\.1"):
        run_shell(shell)


def test_the_other_jobs_of_the_page_are_yaml_and_name_commands_that_exist(page: Page) -> None:
    """Each command of ours in them is one, with the options that it has there."""
    named = [block.code for block in page.blocks("yaml") if not block.file_name]
    assert [set(yaml.safe_load(code)) for code in named] == [{"services", "steps"}, {"staging"}]
    lines = [line for code in named for line in code.splitlines() if "prefect-smtp-relay" in line]
    for line in lines:
        command = line.partition("prefect-smtp-relay")[2].split()
        shown = run_shell(
            f"prefect-smtp-relay {' '.join(w for w in command[:2] if w[0] != '-')} --help"
        )
        assert all(word in shown for word in command if word.startswith("--"))
