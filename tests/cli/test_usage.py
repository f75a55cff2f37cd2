"""Help, wrong uses, exit codes, and secrets that were typed where they do not belong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.blocks.presets import PRESETS
from prefect_smtp_relay.cli.app import _HELP
from prefect_smtp_relay.cli.examples import examples_of

RunCli = Callable[..., Any]
CANARY = "canary-77ad-never-shown"
COMMANDS = [
    ("init",),
    ("connect", "smtp"),
    ("connect", "sendgrid"),
    ("disconnect",),
    ("status",),
    ("send",),
    ("check",),
    ("preset",),
    ("preview",),
    ("outbox", "list"),
    ("outbox", "show"),
    ("outbox", "discard"),
    ("outbox", "flush"),
]


def test_the_help_documents_the_exit_codes(run_cli: RunCli) -> None:
    """They stand in the first help page, with --json."""
    text = " ".join(run_cli("--help").out.split())
    assert (
        "Exit codes: 0 done, 1 a relay or a mail has a problem, 2 wrong use, 130 interrupted."
        in text
    )
    assert "Every command takes --json." in text
    assert "Examples prefect-smtp-relay connect smtp --preset gmail" in text


def test_every_command_has_examples() -> None:
    """A command that is added without one fails here."""
    assert not [command for command in _HELP if not examples_of(command)]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_each_command_explains_itself(run_cli: RunCli, words: tuple[str, ...]) -> None:
    """Its help names --json; those with a secret say why there is no option for it."""
    run = run_cli(*words, "--help")
    assert run.code == 0
    assert "--json" in run.out
    assert f"prefect-smtp-relay {' '.join(words)}" in run.out.partition("Examples")[2]
    if words[0] == "connect":
        assert "There is no option for it" in " ".join(run.out.split())


def test_what_few_need_is_in_groups_of_its_own(run_cli: RunCli) -> None:
    """The options of a first mail come first, as the fields of the form do."""
    text = run_cli("connect", "smtp", "--help").out
    basics, _, rest = text.partition(" Advanced ")
    advanced, _, oauth = rest.partition(" OAuth ")
    assert "--address" in basics
    assert "--ca-certificate" in advanced
    assert "--oauth-token-url" in oauth
    assert "--oauth" not in basics + advanced


def test_completion_is_installed(
    run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shell completes commands and their options."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/bin/bash")
    assert run_cli("--install-completion").code == 0
    (script,) = tmp_path.rglob("completions/prefect-smtp-relay")
    assert "--enable-starttls" in script.read_text("utf-8")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_an_unknown_option_is_a_wrong_use(run_cli: RunCli, words: tuple[str, ...]) -> None:
    """Exit code 2 and one line; with --json the line is in a document."""
    run = run_cli(*words, "--no-such-option")
    assert (run.code, run.out) == (2, "")
    assert "--no-such-option" in run.err
    told = run_cli(*words, "--no-such-option", "--json")
    assert (told.code, told.err) == (2, "")
    assert "--no-such-option" in json.loads(told.out)["error"]


@pytest.mark.parametrize(
    "words",
    [
        ("connect", "smtp", "--password", CANARY),
        ("connect", "smtp", f"--password={CANARY}"),
        ("connect", "sendgrid", "--api-key", CANARY),
        ("connect", "sendgrid", f"--api-key={CANARY}", "--json"),
        ("check", "--address", "mx.example.org", "--password", CANARY),
    ],
    ids=" ".join,
)
def test_a_secret_on_the_command_line_is_not_repeated(
    run_cli: RunCli, words: tuple[str, ...]
) -> None:
    """The error says how to give it instead."""
    run = run_cli(*words)
    assert run.code == 2
    assert CANARY not in run.out + run.err
    assert "--password-stdin" in run.out + run.err


@pytest.mark.parametrize(
    "words",
    [
        ("connect", "smtp", "--pasword", CANARY),
        ("connect", "smtp", f"--passwd={CANARY}"),
        ("connect", "smtp", "--address", "mx.example.org", CANARY),
        ("connect", "sendgrid", CANARY),
        ("connect", CANARY),
        ("disconnect", CANARY),
        ("check", "smtp/main", CANARY),
        ("check", f"smtp://user:{CANARY}@mx.example.org"),
        ("send", "ann@example.org", "--relay", f"smtp://user:{CANARY}@mx.example.org"),
        ("connect", "smtp", "--port", f"smtp://user:{CANARY}@mx.example.org:25"),
        ("connect", "smtp", "--address", f"smtp://user:{CANARY}@mx.example.org"),
        ("connect", "smtp", "--address", f"user:{CANARY}@mx.example.org"),
        ("preset", f"smtp://user:{CANARY}@mx.example.org"),
        ("status", f"--api-kee={CANARY}"),
        ("connect", "smtp", "-p", CANARY),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("more", [(), ("--json",)], ids=["text", "json"])
def test_a_wrong_command_line_repeats_no_secret(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], more: tuple[str, ...]
) -> None:
    """Neither a mistyped option nor a value in the wrong place is shown."""
    monkeypatch.setattr("prefect_smtp_relay.runtime.catalog.documents", list)
    run = run_cli(*words, *more)
    assert run.code == 2
    assert CANARY not in run.out + run.err


def test_the_wrong_option_is_named(run_cli: RunCli) -> None:
    """Its name is not a secret, and is what has to be changed."""
    assert "--pasword" in run_cli("connect", "smtp", "--pasword", "x").err
    assert "--port" in run_cli("connect", "smtp", "--port", "abc").err


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("check", "smtp/relay"),
        ("check",),
        ("disconnect", "smtp"),
        ("send", "ann@example.org"),
        ("connect", "smtp", "--address", "mx.example.org"),
    ],
    ids=" ".join,
)
def test_an_api_that_is_down_is_one_clear_line(run_cli: RunCli, words: tuple[str, ...]) -> None:
    """Exit code 1, the setting to check, no traceback; with --json the error's class too."""
    run = run_cli(*words)
    assert (run.code, run.out) == (1, "")
    assert len(run.err.splitlines()) == 1
    assert "PREFECT_API_URL" in run.err
    document = json.loads(run_cli(*words, "--json").out)
    assert document["type"] == "RelayLookupFailed"
    assert "PREFECT_API_URL" in document["error"]


@pytest.mark.parametrize("words", [("check",), ("send", "ann@example.org", "--relay")])
@pytest.mark.parametrize("name", ["mailgun/x", "smtp", "smtp/"])
def test_what_is_no_name_of_a_relay_is_a_wrong_use(
    run_cli: RunCli, words: tuple[str, ...], name: str
) -> None:
    """Exit code 2, before the API is asked, with the form of a name."""
    run = run_cli(*words, name)
    assert (run.code, run.out) == (2, "")
    assert "smtp/NAME" in run.err
    assert len(run.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nobody",), "to: "),
        (("ann@example.org", "--from", "nobody"), "from_: "),
        (("ann@example.org", "--subject", "two\nlines"), "subject: "),
    ],
)
def test_a_mail_that_is_written_wrongly_is_a_wrong_use(
    run_cli: RunCli, words: tuple[str, ...], told: str
) -> None:
    """Exit code 2 and one line that begins with what to change."""
    run = run_cli("send", *words)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(told)
    assert len(run.err.splitlines()) == 1


def test_the_presets_are_listed(run_cli: RunCli) -> None:
    """One line each, with its name first."""
    run = run_cli("preset")
    assert run.code == 0
    assert [line.split()[0] for line in run.out.splitlines()] == list(PRESETS)
    document = json.loads(run_cli("preset", "--json").out)
    assert [preset["name"] for preset in document["presets"]] == list(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_shown_with_its_advice(run_cli: RunCli, name: str) -> None:
    """Address, port, TLS, what to prepare, and the command that goes on from here."""
    run = run_cli("preset", name)
    preset = PRESETS[name]
    assert preset.address in run.out
    assert all(line in run.out for line in preset.advice)
    assert run.out.rstrip().endswith(f"connect smtp --preset {name}")
    document = json.loads(run_cli("preset", name, "--json").out)
    assert document["settings"] == preset.settings


def test_an_unknown_preset_is_a_wrong_use(run_cli: RunCli) -> None:
    """The nearest name is proposed."""
    run = run_cli("preset", "gmial")
    assert (run.code, run.out) == (2, "")
    assert "Did you mean gmail?" in run.err
