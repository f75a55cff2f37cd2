"""The settings, from wherever Prefect reads settings."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect.settings import PREFECT_HOME, get_current_settings, temporary_settings
from pydantic import Secret

from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.settings import SmtpRelaySettings, current_settings

PREFIX = "PREFECT_INTEGRATIONS_SMTP_RELAY_"
CANARY = "canary-key-4f1c-never-shown"
NEW, OLD = (base64.urlsafe_b64encode(bytes([number] * 32)).decode() for number in (1, 2))

VALID = [
    ("default_from", "Ops <ops@example.org>", "Ops <ops@example.org>"),
    ("protected_domains", "example.com, example.net", ["example.com", "example.net"]),
    ("redirect_to", "Staging <staging@example.org>", "Staging <staging@example.org>"),
    ("allowed_recipients", "a@example.org, *.example.com", ["a@example.org", "*.example.com"]),
    ("group_within", "15m", "15m"),
    ("default_delivery", "refuse", "refuse"),
    ("logo_url", "https://example.org/logo.png?v=2", "https://example.org/logo.png?v=2"),
    ("header_name", "Acme Status", "Acme Status"),
    ("language", "pt-BR", "pt-BR"),
    ("time_zone", "Europe/Berlin", "Europe/Berlin"),
    ("capture_to", "~/mails", Path.home() / "mails"),
    ("secret_files", "/etc/mail/*, /etc/key", ["/etc/mail/*", "/etc/key"]),
    ("spool", "/var/spool/relay", "/var/spool/relay"),
    ("spool", "file:///var/spool/relay", "file:///var/spool/relay"),
    ("spool_key", f"{NEW}, {OLD}", [NEW, OLD]),
    ("max_attachment_megabytes", "40", 40),
]
INVALID = [
    ("default_from", "nobody", "has no @"),
    ("protected_domains", "two words", "'two words' is not"),
    ("redirect_to", "a@example.org, b@example.org", "is not an e-mail address"),
    ("allowed_recipients", "*", "'*' is not a domain name"),
    ("group_within", "15", "'15' is not a duration. Write 90s, 15m, 2h or 1d"),
    ("default_delivery", "drop", "'store' or 'refuse'"),
    ("max_attachment_megabytes", "0", "greater than or equal to 1"),
    ("max_attachment_megabytes", "25 MB", "valid integer"),
    ("logo_url", "logo.png", "'logo.png' is not a web address. Write https://..."),
    ("language", "Deutsch, bitte", "match pattern"),
    ("capture_to", "s3://bucket/mail", "is a URL. Name a directory of this host"),
    ("secret_files", "secrets/*", "'secrets/*' is not a directory with the name of a file"),
    ("secret_files", "/etc/*/key", "Write it like /etc/mail/* or /etc/mail/password"),
    ("secret_files", "/etc/mail/", "Write it like /etc/mail/* or /etc/mail/password"),
    ("time_zone", "Europe/Berlim", "Did you mean 'Europe/Berlin'?"),
    ("time_zone", "Europe", "'Europe' is not a time zone"),
    ("header_name", "a\u2029b", "contains the character '\\u2029'"),
]

SetSetting = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and none of our variables."""
    for name in SmtpRelaySettings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(params=["environment", "prefect.toml", "pyproject.toml", ".env"])
def set_setting(
    request: pytest.FixtureRequest, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> SetSetting:
    """Set a setting to a text, in each place that Prefect reads."""

    def set_it(name: str, text: str) -> None:
        variable = f"{PREFIX}{name.upper()}"
        if request.param == "environment":
            monkeypatch.setenv(variable, text)
        elif request.param == ".env":
            (workplace / ".env").write_text(f'{variable}="{text}"\n', "utf-8")
        else:
            _write_toml(workplace / request.param, f'{name} = "{text}"')

    return set_it


def _write_toml(file: Path, line: str) -> None:
    table = "integrations.smtp_relay"
    header = table if file.name == "prefect.toml" else f"tool.prefect.{table}"
    file.write_text(f"[{header}]\n{line}\n", "utf-8")


def _read(name: str) -> Any:
    value = getattr(current_settings(), name)
    return [key.get_secret_value() for key in value] if name.endswith("_key") else value


@pytest.mark.parametrize(("name", "text", "expected"), VALID)
def test_a_setting_is_read_from_each_place(
    set_setting: SetSetting, name: str, text: str, expected: Any
) -> None:
    """The environment, both TOML files and .env give the same value; lists may have commas."""
    set_setting(name, text)
    assert _read(name) == expected


@pytest.mark.parametrize(("name", "text", "reason"), INVALID)
def test_an_invalid_setting_names_its_variable(
    set_setting: SetSetting, name: str, text: str, reason: str
) -> None:
    """The error says which variable is wrong, once, and why."""
    set_setting(name, text)
    with pytest.raises(RelayConfigurationError) as caught:
        current_settings()
    assert str(caught.value).startswith(f"settings: {PREFIX}{name.upper()}: ")
    assert reason in str(caught.value)
    assert name not in str(caught.value)


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize("name", list(SmtpRelaySettings.model_fields))
def test_blank_is_the_default(set_setting: SetSetting, name: str, blank: str) -> None:
    """An empty variable, such as CI sets for a missing value, changes nothing."""
    default = _read(name)
    set_setting(name, blank)
    assert _read(name) == default


def test_the_defaults() -> None:
    """Nothing set: mail is stored below Prefect's home, unencrypted, and any sender may write."""
    settings = current_settings()
    assert settings.model_dump() == {
        "default_from": "",
        "protected_domains": [],
        "redirect_to": "",
        "allowed_recipients": [],
        "group_within": "",
        "default_delivery": "store",
        "invalid_values": "leave_out",
        "logo_url": "",
        "header_name": "",
        "language": "en",
        "failover": False,
        "time_zone": "UTC",
        "spool": str(get_current_settings().home / "smtp-relay" / "spool"),
        "spool_options": Secret({}),
        "spool_key": [],
        "spool_accepts": "own",
        "keep_keys_days": 30,
        "unknown_outcome": "retry",
        "max_attachment_megabytes": 25,
        "max_text_megabytes": 2,
        "secret_files": [
            *("/run/secrets/smtp-relay/*", "/run/secrets/smtp_*", "/run/secrets/sendgrid_*")
        ],
        "capture_to": None,
    }


@pytest.mark.parametrize("file", ["prefect.toml", "pyproject.toml"])
def test_toml_may_hold_lists(workplace: Path, file: str) -> None:
    """A TOML list is what a text with commas is."""
    lists = f'protected_domains = ["example.com", "example.net"]\nspool_key = ["{NEW}"]'
    _write_toml(workplace / file, lists)
    assert _read("protected_domains") == ["example.com", "example.net"]
    assert _read("spool_key") == [NEW]


@pytest.mark.parametrize("line", ["default_from = 5", "spool_key = 5", 'spool_key = ["a", 5]'])
def test_a_value_of_another_type_names_its_variable(workplace: Path, line: str) -> None:
    """TOML can hold numbers where texts belong."""
    _write_toml(workplace / "prefect.toml", line)
    variable = f"{PREFIX}{line.split()[0].upper()}"
    with pytest.raises(RelayConfigurationError, match=f"^settings: {variable}: "):
        current_settings()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"SPOOL": "s3://bucket/mail"}, "_SPOOL_KEY: is empty, and s3://bucket/mail is not a disk"),
        ({"SPOOL": "memory://mail"}, "_SPOOL: memory is not a store that can create exclusively"),
        ({"SPOOL": "simplecache::s3://b"}, "_SPOOL: simplecache is not a store"),
        ({"SPOOL": "s3://u:canary@b"}, "_SPOOL: the URL contains @ or ?. Put credentials"),
        ({"SPOOL": "s3:/mail/x"}, "_SPOOL: begins with s3:, and is not a URL"),
        ({"SPOOL": "gs://"}, "_SPOOL: gs:// has no bucket"),
        ({"SPOOL_KEY": "canary"}, "_SPOOL_KEY: is not a Fernet key"),
        ({"SPOOL_OPTIONS": "{canary"}, "_SPOOL_OPTIONS: is not JSON"),
        ({"SPOOL_OPTIONS": "5"}, "_SPOOL_OPTIONS: Input should be a valid dictionary"),
    ],
)
def test_a_spool_that_cannot_be_used_is_found_out_at_once(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], reason: str
) -> None:
    """Not by the first mail that fails and is to be stored; no secret is shown."""
    for name, value in values.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    with pytest.raises(RelayConfigurationError) as caught:
        current_settings()
    assert f"settings: {PREFIX}"[:-1] + reason in str(caught.value)
    assert "canary" not in f"{caught.value} {caught.value!r}"


def test_the_options_of_the_spool_are_json_and_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have the store's credentials."""
    monkeypatch.setenv(f"{PREFIX}SPOOL_OPTIONS", f'{{"secret": "{CANARY}"}}')
    settings = current_settings()
    assert settings.spool_options.get_secret_value() == {"secret": CANARY}
    assert CANARY not in f"{settings!r} {settings.model_dump()} {settings.model_dump_json()}"


def test_every_invalid_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two mistakes are told at once."""
    monkeypatch.setenv(f"{PREFIX}DEFAULT_FROM", "nobody")
    monkeypatch.setenv(f"{PREFIX}DEFAULT_DELIVERY", "drop")
    with pytest.raises(RelayConfigurationError, match=r"DEFAULT_FROM.*; .*DEFAULT_DELIVERY"):
        current_settings()


def test_the_environment_goes_before_the_files(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect's own order: environment, prefect.toml, pyproject.toml."""
    _write_toml(workplace / "pyproject.toml", 'default_from = "c@example.org"')
    assert _read("default_from") == "c@example.org"
    _write_toml(workplace / "prefect.toml", 'default_from = "b@example.org"')
    assert _read("default_from") == "b@example.org"
    monkeypatch.setenv(f"{PREFIX}DEFAULT_FROM", "a@example.org")
    assert _read("default_from") == "a@example.org"


def test_a_change_holds_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings are those of now, not of the import."""
    assert _read("default_delivery") == "store"
    monkeypatch.setenv(f"{PREFIX}DEFAULT_DELIVERY", "refuse")
    assert _read("default_delivery") == "refuse"


def test_the_keys_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings can be printed and dumped."""
    monkeypatch.setenv(f"{PREFIX}SPOOL_KEY", NEW)
    settings = current_settings()
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert "***" in shown
    assert NEW not in shown


def test_an_error_shows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake elsewhere does not print the keys beside it."""
    monkeypatch.setenv(f"{PREFIX}SPOOL_KEY", CANARY)
    monkeypatch.setenv(f"{PREFIX}DEFAULT_DELIVERY", "drop")
    with pytest.raises(RelayConfigurationError) as caught:
        current_settings()
    assert CANARY not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"


def test_a_misspelt_variable_is_an_error_that_names_the_right_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A setting that would silently do nothing is refused."""
    monkeypatch.setenv("PREFECT_INTEGRATIONS_SMTP_RELAY_PROTECTED_DOMAIN", "corp.example")
    with pytest.raises(RelayConfigurationError, match=r"Did you mean .*_PROTECTED_DOMAINS\?"):
        current_settings()


@pytest.mark.parametrize("file", ["prefect.toml", "pyproject.toml"])
def test_a_misspelt_name_in_a_file_is_an_error(workplace: Path, file: str) -> None:
    """As in the environment; the file is named, and the setting that was meant."""
    _write_toml(workplace / file, 'protected_domain = "corp.example"')
    with pytest.raises(RelayConfigurationError) as caught:
        current_settings()
    assert f"there is no setting protected_domain in {file}. Did you mean" in str(caught.value)
    assert "protected_domains?" in str(caught.value)


def test_a_misspelt_name_in_a_dotenv_file_is_an_error(workplace: Path) -> None:
    """There it is written as a variable."""
    (workplace / ".env").write_text(f"{PREFIX}DEFAULT_FORM=a@b.org\n", "utf-8")
    with pytest.raises(RelayConfigurationError, match=rf"in \.env\. .*{PREFIX}DEFAULT_FROM\?"):
        current_settings()


@pytest.mark.parametrize("name", ["outbox_path", "outbox_key", "outbox_accepts"])
def test_a_setting_that_was_replaced_names_the_new_one(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Who updates is told what to write instead, and how the mail gets there."""
    monkeypatch.setenv(f"{PREFIX}{name.upper()}", "x")
    new = {"outbox_path": "spool"}.get(name, name.replace("outbox", "spool"))
    with pytest.raises(RelayConfigurationError, match=rf"It was replaced by {new}\.") as caught:
        current_settings()
    assert ("outbox import DIRECTORY" in str(caught.value)) == (name == "outbox_path")


def test_nothing_is_read_again_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same object is returned: reading costs milliseconds within a run."""
    assert current_settings() is current_settings()
    monkeypatch.setenv(f"{PREFIX}HEADER_NAME", "Acme")
    assert current_settings().header_name == "Acme"
    assert current_settings() is current_settings()


def test_other_settings_of_prefect_change_ours(tmp_path: Path) -> None:
    """The spool is below Prefect's home, which a context may change."""
    before = current_settings().spool
    with temporary_settings({PREFECT_HOME: tmp_path}):
        assert current_settings().spool == str(tmp_path / "smtp-relay" / "spool")
    assert current_settings().spool == before


def test_a_changed_file_is_read_again(set_setting: SetSetting) -> None:
    """Made and written anew: each counts at once."""
    for name in ("One", "Another", "A third one"):
        set_setting("header_name", name)
        assert _read("header_name") == name


def test_a_removed_file_is_forgotten(workplace: Path) -> None:
    """The default is there again."""
    _write_toml(workplace / "prefect.toml", 'header_name = "Acme"')
    assert _read("header_name") == "Acme"
    (workplace / "prefect.toml").unlink()
    assert _read("header_name") == ""


def test_a_profile_that_is_edited_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by ``prefect config set``."""
    for name in [name for name in os.environ if "TEST_MODE" in name]:
        monkeypatch.delenv(name)
    profiles = tmp_path / "profiles.toml"
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(profiles))
    for value in ("One", "Another"):
        profiles.write_text(f'active = "a"\n[profiles.a]\n{PREFIX}HEADER_NAME = "{value}"\n')
        assert _read("header_name") == value
