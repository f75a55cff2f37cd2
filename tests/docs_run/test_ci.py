"""docs/how-to/ci.md: its project's tests pass, and its workflow's steps do what it says."""

from __future__ import annotations

from importlib.metadata import metadata
from pathlib import Path

import pytest
import yaml
from prefect.settings import PREFECT_API_URL

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.docs_run.reader import FILE_NAME, run_shell
from tests.pages import page

_PAGE = page("how-to/ci")
_WORKFLOW, *_JOBS = (block.code for block in _PAGE.blocks("yaml"))


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Have the files of the page in the working directory, and give the commands a home."""
    for block in _PAGE.blocks("python"):
        name = FILE_NAME.match(block.code)
        assert name
        tmp_path.joinpath(name[1]).write_text(block.code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return {"PREFECT_HOME": str(tmp_path / "home"), "PREFECT_API_URL": str(PREFECT_API_URL.value())}


def test_the_steps_of_the_workflow_pass_and_write_the_mails(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """The tests pass in a pytest of their own; the flow's mail is there in three forms."""
    steps = yaml.safe_load(_WORKFLOW)["jobs"]["test"]["steps"]
    commands = {step["name"]: step for step in steps if "run" in step}
    assert commands.pop("Install")["run"].split()[:2] == ["pip", "install"]
    assert "testing" in metadata("prefect-smtp-relay").get_all("Provides-Extra", [])
    test = f"{commands.pop('Test')['run']} -p no:cacheprovider"
    assert "2 passed" in run_shell(test, environment)
    (write,) = commands.values()
    assert run_shell(write["run"], {**environment, **write["env"]}).splitlines()[-1] == "stored"
    kinds = sorted(file.suffix for file in tmp_path.joinpath("mails").iterdir())
    assert kinds == [".eml", ".html", ".txt"]
    assert steps[-1]["with"]["path"] == "mails"


def test_the_check_of_staging_passes_and_fails_with_the_relay(
    environment: dict[str, str], mail_server: MailServer
) -> None:
    """It exits with 0 while the relay answers, and stops the job once it does not."""
    SMTP(
        address=mail_server.host, port=mail_server.port, ssl=False, from_address="a@example.org"
    ).save("staging")
    shell = "\n".join(block.code for block in _PAGE.blocks("bash"))
    printed = run_shell(shell, environment)
    assert "smtp/staging  takes the next mail" in printed
    assert mail_server.mails == []
    mail_server.refused["team@example.org"] = "550 5.7.1 not here"
    with pytest.raises(AssertionError, match=r"550 5\.7\.1"):
        run_shell(shell, environment)


def test_the_other_jobs_are_yaml_and_their_commands_have_these_options(
    environment: dict[str, str],
) -> None:
    """Each command of ours in them exists, with the options that it has there."""
    assert [set(yaml.safe_load(job)) for job in _JOBS] == [{"services", "steps"}, {"staging"}]
    for line in "\n".join(_JOBS).splitlines():
        if words := line.partition("prefect-smtp-relay ")[2].split():
            command = [word for word in words[:2] if not word.startswith("-")]
            shown = run_shell(f"prefect-smtp-relay {' '.join(command)} --help", environment)
            assert all(word in shown for word in words if word.startswith("--"))
