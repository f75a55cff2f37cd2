"""Which of a block's fields a secret is in, and what a check says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from prefect_smtp_relay import SMTP, SendGrid
from prefect_smtp_relay.blocks.environment import fields_from_environment
from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.frames import told

CANARY = "canary-91ce-never-shown"
USER = "flows@example.org"
ACCOUNT = {"address": "mx.example.org", "username": USER}
APPLICATION = {
    "authentication": "xoauth2",
    "oauth_token_url": "https://id.example.org/token",
    "oauth_client_id": "app",
}
FIELDS = {
    "password": ACCOUNT,
    "oauth_client_secret": {**ACCOUNT, **APPLICATION},
    "oauth_refresh_token": {**ACCOUNT, **APPLICATION},
}


def test_a_variable_is_read_at_each_delivery(variables: pytest.MonkeyPatch) -> None:
    """The block has its name only; a missing or an empty one is an error that names it."""
    block = SMTP(**ACCOUNT, password_variable="SMTP_PASSWORD")
    with pytest.raises(RelayConfigurationError, match="SMTP_PASSWORD is not set in this process"):
        block.get_config()
    variables.setenv("SMTP_PASSWORD", " ")
    with pytest.raises(RelayConfigurationError, match="SMTP_PASSWORD is empty in this process"):
        block.get_config()
    for password in ("one", "two"):
        variables.setenv("SMTP_PASSWORD", password)
        credentials = block.get_config().credentials
        assert credentials is not None
        assert credentials.password == SecretStr(password)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("password_variable", "AWS_SECRET_ACCESS_KEY", "begins with SMTP_ or SENDGRID_"),
        ("password_variable", CANARY, "begins with SMTP_ or SENDGRID_"),
        ("password_variable", "SMTP_", "begins with SMTP_ or SENDGRID_"),
        ("password_variable", "SMTP_A B", "begins with SMTP_ or SENDGRID_"),
        ("password_file", CANARY, "is not an absolute path"),
        ("password_file", "~/password", "is not an absolute path"),
        ("password_file", f"/run/{CANARY}\nx", "contains a character that no path has"),
        ("password_file", "/run/\0", "contains a character that no path has"),
    ],
)
def test_a_field_that_is_wrong_is_not_repeated(field: str, value: str, problem: str) -> None:
    """It may be the secret itself, in the wrong place; no other variable can be named."""
    with pytest.raises(ValidationError) as caught:
        SMTP(**ACCOUNT, **{field: value})
    assert field in str(caught.value)
    assert problem in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("other", ["file", "variable"])
def test_a_secret_is_in_one_place(name: str, other: str) -> None:
    """Two of the three are an error that names both."""
    places = {f"{name}_file": "/run/secrets/smtp_x", f"{name}_variable": "SMTP_X"}
    second = f"{name}_{other}"
    with pytest.raises(ValidationError) as caught:
        SMTP(**FIELDS[name], **{name: CANARY, second: places[second]})
    assert f"(`{second}`). Clear one of them" in str(caught.value)
    assert CANARY not in str(caught.value)
    with pytest.raises(ValidationError, match="Clear one of them"):
        SMTP(**FIELDS[name], **places)


@pytest.mark.parametrize("name", FIELDS)
def test_each_secret_may_be_in_a_file_or_variable(
    secrets: Path, variables: pytest.MonkeyPatch, name: str
) -> None:
    """The configuration is the same, wherever the secret is."""
    secrets.joinpath("secret").write_text(f"{CANARY}\n")
    variables.setenv("SMTP_SECRET", CANARY)
    places: list[dict[str, Any]] = [
        {name: CANARY},
        {f"{name}_file": str(secrets / "secret")},
        {f"{name}_variable": "SMTP_SECRET"},
    ]
    made = {SMTP(**FIELDS[name], **place).get_config() for place in places}
    assert len(made) == 1
    assert CANARY not in repr(made)


def test_a_sendgrid_key_in_a_file_or_variable(secrets: Path, variables: pytest.MonkeyPatch) -> None:
    """It is checked like one in the block, and is not shown where it is not a key."""
    file = secrets / "key"
    file.write_text("SG.x \n")
    variables.setenv("SENDGRID_API_KEY", "SG.x")
    block = SendGrid(api_key_file=str(file))
    by_variable = SendGrid(api_key_variable="SENDGRID_API_KEY")
    assert block.get_config() == by_variable.get_config() == SendGrid(api_key="SG.x").get_config()
    file.write_text(f"two {CANARY}")
    with pytest.raises(RelayConfigurationError) as caught:
        block.get_config()
    assert str(caught.value).startswith(
        "sendgrid: *Advanced: API key file* (`api_key_file`): contains a character that no key has"
    )
    assert CANARY not in told(caught.value)


def test_the_variables_of_docker_s_convention(variables: pytest.MonkeyPatch) -> None:
    """SMTP_PASSWORD_FILE becomes the path in the block, and what a variable names is not copied."""
    variables.setenv("SMTP_PASSWORD_FILE", "/run/secrets/smtp_password")
    assert fields_from_environment(SMTP) == {"password_file": "/run/secrets/smtp_password"}
    variables.delenv("SMTP_PASSWORD_FILE")
    variables.setenv("SMTP_PASSWORD_VARIABLE", "SMTP_PASSWORD")
    variables.setenv("SMTP_PASSWORD", CANARY)
    assert fields_from_environment(SMTP) == {"password_variable": "SMTP_PASSWORD"}


def test_a_secret_that_cannot_be_read_is_a_step_of_the_check(secrets: Path) -> None:
    """The check names the file and begins nothing else; the block can still be named and shown."""
    block = SMTP(**ACCOUNT, password_file=str(secrets / "password"))
    report = block.check()
    assert report.transport == block.transport_name == "smtp://mx.example.org:587"
    assert (report.steps[0].name, report.steps[0].outcome) == ("password file", "failed")
    assert "does not exist on this host" in report.steps[0].detail
    assert {step.outcome for step in report.steps[1:]} == {"skipped"}
    report = SendGrid(api_key_variable="SENDGRID_NO_SUCH_KEY").check()
    assert (report.transport, report.steps[0].name) == (
        "sendgrid://api.sendgrid.com",
        "API key variable",
    )


def test_a_secret_that_can_be_read_is_a_step_too(secrets: Path, certificates: Certificates) -> None:
    """The recommended block names the file, and has no password beside it."""
    file = secrets / "password"
    file.write_text(CANARY)
    with MailServer("starttls", certificates.server_context, users={USER: CANARY}) as server:
        fields = {"address": "127.0.0.1", "port": server.port, "username": USER}
        report = SMTP(**fields, password_file=str(file)).check()
    assert (report.steps[0].name, report.steps[0].outcome) == ("password file", "ok")
    assert report.steps[0].detail == f"read from {file}"
    assert f'password_file="{file}"' in report.recommendation.python
    assert "password=" not in report.recommendation.python
    assert CANARY not in report.model_dump_json()


def test_a_key_that_cannot_be_one_fails_its_step(secrets: Path) -> None:
    """The check goes no further, and no error is raised that would hide the steps."""
    (secrets / "key").write_text("SG.canary 91ce", encoding="utf-8")
    report = SendGrid(api_key_file=str(secrets / "key")).check()
    assert (report.steps[0].name, report.steps[0].outcome) == ("API key file", "failed")
    assert report.steps[0].detail.endswith("contains a character that no key has. Paste it again.")
    assert "canary" not in str(report)
