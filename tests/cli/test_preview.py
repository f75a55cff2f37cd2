"""``preview`` of a Markdown file: the files it writes, and what it says of wrong use."""

from __future__ import annotations

import json
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

RunCli = Callable[..., Any]


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a directory with one Markdown file."""
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("Disk full.md").write_text("# Disk \u00fc\n\nIt is **full**.\n", "utf-8")
    return tmp_path


def test_three_files_stand_beside_each_other(run_cli: RunCli, workplace: Path) -> None:
    """Without options: the subject is the file's name, and the mail goes to nobody."""
    run = run_cli("preview", "Disk full.md")
    assert (run.code, run.err) == (0, "")
    assert run.out.splitlines() == [
        "Disk full",
        "  from   nobody yet: the relay's from_address takes its place",
        "  to     recipient@preview.invalid",
        f"  size   {len((workplace / 'mail.eml').read_bytes()):,} bytes",
        "  files  mail.html, mail.txt, mail.eml",
        "Nothing was submitted.",
    ]
    html, text = workplace / "mail.html", workplace / "mail.txt"
    assert "<strong>full</strong>" in html.read_text("utf-8")
    assert text.read_text("utf-8").startswith("Disk \u00fc\n======\n\nIt is full.\n")
    mail = message_from_bytes((workplace / "mail.eml").read_bytes(), policy=default)
    assert mail["Subject"] == "Disk full"


def test_the_options_of_the_mail_and_of_the_files(run_cli: RunCli, workplace: Path) -> None:
    """--json tells subject, sender, recipients and files; an existing file is replaced."""
    out = workplace / "out"
    out.mkdir()
    (out / "a.b.html").write_text("old")
    words = ("--out", str(out / "a.b.html"), "--subject", "S", "--from", "Ops <ops@example.org>")
    more = ("--to", "Ann <ann@example.org>, b@c.org", "--preheader", "Read this")
    run = run_cli("preview", "Disk full.md", *words, *more, "--json")
    assert (run.code, run.err) == (0, "")
    [mail] = json.loads(run.out)["mails"]
    size = mail.pop("size")
    assert mail == {
        "subject": "S",
        "from": "Ops <ops@example.org>",
        "to": ["Ann <ann@example.org>", "b@c.org"],
        "cc": [],
        "bcc": 0,
        "html": str(out / "a.b.html"),
        "txt": str(out / "a.b.txt"),
        "eml": str(out / "a.b.eml"),
    }
    assert size == len((out / "a.b.eml").read_bytes())
    assert "old" not in (out / "a.b.html").read_text("utf-8")


@pytest.mark.parametrize("does_open", [True, False])
def test_the_browser_is_opened_on_request(
    run_cli: RunCli, workplace: Path, monkeypatch: pytest.MonkeyPatch, does_open: bool
) -> None:
    """It gets the HTML as a file URL; where there is none, a line says what to open."""
    opened: list[str] = []

    def pretend(url: str) -> bool:
        opened.append(url)
        return does_open

    monkeypatch.setattr("webbrowser.open", pretend)
    run = run_cli("preview", "Disk full.md", "--open")
    assert opened == [(workplace / "mail.html").as_uri()]
    assert (run.code, "No browser" in run.err) == (0, not does_open)


def test_inline_images_are_files(run_cli: RunCli, workplace: Path) -> None:
    """Each --inline-image stands where the Markdown shows its id, in the browser too."""
    (workplace / "graphs.md").write_text("![a](cid:a) ![b](cid:b)", "utf-8")
    (workplace / "x=y.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    words = ("--inline-image", "a=x=y.png", "--inline-image", "b=x=y.png")
    run = run_cli("preview", "graphs.md", *words)
    assert (run.code, run.err) == (0, "")
    assert (workplace / "mail.html").read_text("utf-8").count('src="data:image/png;base64,') == 2
    assert (workplace / "mail.eml").read_bytes().count(b"Content-ID: <") == 2


def test_the_context_fills_the_template(run_cli: RunCli, workplace: Path) -> None:
    """--context is the template context of the body and the subject."""
    (workplace / "t.md").write_text("Hello {{ name }}", "utf-8")
    (workplace / "c.json").write_text('{"name": "Ann"}', "utf-8")
    run = run_cli("preview", "t.md", "--context", "c.json", "--subject", "For {{ name }}")
    assert run.out.startswith("For Ann\n")
    assert "Hello Ann" in (workplace / "mail.txt").read_text("utf-8")


def test_without_a_context_braces_stay_braces(run_cli: RunCli, workplace: Path) -> None:
    """Nothing is a template unless --context says so."""
    (workplace / "t.md").write_text("Hello {{ name }}", "utf-8")
    assert run_cli("preview", "t.md").code == 0
    assert "Hello {{ name }}" in (workplace / "mail.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none.md"], "none.md: there is no such file."),
        (["flow.py"], "flow.py: is not a Markdown file. Name a file that ends in .md; to see the"),
        (["."], ".: is not a Markdown file."),
        (["Disk full.md", "--out", "a.txt"], "--out: a.txt: is not HTML. Name a file that ends in"),
        (["Disk full.md", "--out", "no/a.html"], "--out: no/a.html: there is no directory no."),
        (
            ["Disk full.md", "--out", "dir.html"],
            "--out: cannot use dir.html: Is a directory. Name",
        ),
        (["Disk full.md", "--context", "no.json"], "--context: cannot read no.json: No such file"),
        (
            ["Disk full.md", "--context", "bad.json"],
            "--context: bad.json, line 2, column 9: Exp",
        ),
        (["Disk full.md", "--context", "list.json"], "--context: list.json: expected an object"),
        (["Disk full.md", "--context", "latin.md"], "--context: latin.md is not UTF-8 text at by"),
        (["latin.md"], "FILE.md: latin.md is not UTF-8 text at byte 1."),
        (["Disk full.md", "--to", "nobody"], "to: 'nobody' is not an e-mail address"),
        (["image.md"], "inline_images: the body shows cid:x"),
        (["image.md", "--inline-image", "x"], "--inline-image: 'x': write ID=FILE"),
        (["image.md", "--inline-image", "x=no.png"], "attachments: cannot read 'no.png'"),
        (["Disk full.md", "--subjct", "x"], "--subjct"),
    ],
)
def test_wrong_uses(run_cli: RunCli, workplace: Path, words: list[str], told: str) -> None:
    """One line on stderr names what to change, the exit code is 2, and nothing is written."""
    (workplace / "dir.html").mkdir()
    (workplace / "bad.json").write_text('{"a": 1,\n "b": 2 3}', "utf-8")
    (workplace / "list.json").write_text("[1]", "utf-8")
    (workplace / "latin.md").write_bytes(b"a\xfcb")
    (workplace / "image.md").write_text("![x](cid:x)", "utf-8")
    before = sorted(workplace.iterdir())
    run = run_cli("preview", *words)
    assert (run.code, run.out) == (2, "")
    assert told in run.err
    assert len(run.err.splitlines()) == 1
    assert sorted(workplace.iterdir()) == before


def test_an_error_as_json(run_cli: RunCli) -> None:
    """With --json, stdout holds the error and its type."""
    run = run_cli("preview", "none.md", "--json")
    assert (run.code, run.err) == (2, "")
    error = {"error": "none.md: there is no such file.", "type": "UsageError"}
    assert json.loads(run.out) == error


def test_the_help_says_how_to_look_at_a_flow(run_cli: RunCli) -> None:
    """Each option is there, and the setting that captures the mails of a flow."""
    run = run_cli("preview", "--help")
    options = ["--out", "--context", "--subject", "--to", "--from", "--preheader", "--open"]
    options += ["--inline-image", "cid:ID"]
    assert all(option in run.out for option in options)
    assert "PREFECT_INTEGRATIONS_SMTP_RELAY_CAPTURE_TO=mails" in " ".join(run.out.split())
