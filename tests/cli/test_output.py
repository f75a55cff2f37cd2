"""How answers are printed: whole, uninterpreted, and readable in a narrow terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.text import Text

from prefect_smtp_relay.cli.answer import Answer, beside, show
from prefect_smtp_relay.cli.reports import describe_report
from prefect_smtp_relay.transports.check_report import Recommendation, Report, Step

HOSTILE = "[red]x[/red] :warning: \x1b[2J\x1b]0;t\x07 \u202etxt"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Pretend that stdout is a terminal of this width."""

    def pretend(columns: int) -> None:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", str(columns))

    return pretend


@pytest.fixture
def report() -> Report:
    """A report with each outcome, a long detail and a recommendation."""
    return Report(
        transport="smtp://mx.example.org:587",
        steps=(
            Step(name="DNS", outcome="ok", milliseconds=1.25, detail="192.0.2.1"),
            Step(name="certificate", outcome="warning", milliseconds=30, detail="words " * 30),
            Step(name="login", outcome="failed", detail=HOSTILE),
            Step(name="MAIL", outcome="skipped", detail="not reached"),
            Step(name="RCPT", outcome="skipped", detail="not reached"),
        ),
        recommendation=Recommendation(
            settings={"ssl": False}, words=("Switch `ssl` off.",), python="SMTP(ssl=False)"
        ),
    )


def _printed(report: Report, capsys: pytest.CaptureFixture[str]) -> list[str]:
    show(Answer({}, list(describe_report(report))), as_json=False)
    return capsys.readouterr().out.splitlines()


def test_a_report_in_a_pipe(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    """A table of 80 columns, what was not reached in one line, then what to change."""
    lines = _printed(report, capsys)
    assert lines[0] == "smtp://mx.example.org:587"
    assert lines[1] == "  ok       DNS              1.2 ms  192.0.2.1"
    assert lines[2].startswith("  warning  certificate     30.0 ms  words words")
    assert max(map(len, lines)) <= 80
    assert " ".join(lines).count("words") == 30
    assert lines[-4:] == [
        "  skipped  not reached: MAIL, RCPT",
        "Recommended:",
        "  - Switch `ssl` off.",
        "  SMTP(ssl=False)",
    ]


def test_what_servers_say_is_shown_not_interpreted(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    """Markup and emoji codes stay text; controls and changes of direction show as escapes."""
    (line,) = [line for line in _printed(report, capsys) if "login" in line]
    assert "[red]x[/red] :warning: " in line
    assert not {"\x1b", "\x07", "\u202e"} & set(line)


def test_a_report_prints_as_the_same_table(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    """``print(block.check())`` shows in Python what the command shows."""
    assert str(report).splitlines() == _printed(report, capsys)


def test_hostile_text_in_a_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The same holds for any line of an answer, and for complaints."""
    show(Answer({}, [HOSTILE], [HOSTILE]), as_json=False)
    shown = capsys.readouterr()
    for text in (shown.out, shown.err):
        assert "[red]x[/red] :warning: " in text
        assert not {"\x1b", "\x07", "\u202e"} & set(text)


def test_a_narrow_terminal_breaks_between_words(
    report: Report, capsys: pytest.CaptureFixture[str], terminal: Callable[[int], None]
) -> None:
    """The detail stands in its own column, and no word is cut."""
    terminal(72)
    lines = [Text.from_ansi(line).plain for line in _printed(report, capsys)]
    detail = [line for line in lines if "words" in line]
    assert len(detail) > 1
    assert all(len(line) <= 72 for line in detail)
    assert {line.index("words") for line in detail} == {36}
    assert {word for line in detail[1:] for word in line.split()} == {"words"}


def test_what_somebody_copies_is_not_broken(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name of a setting, or a path, that is longer than its column stays in one piece."""
    name = "PREFECT_INTEGRATIONS_SMTP_RELAY_SECRET_FILES"
    step = report.steps[0].model_copy(update={"detail": f"add it to {name} of this process"})
    report = report.model_copy(update={"steps": (step, *report.steps[1:])})
    assert f"{' ' * 36}{name}" in _printed(report, capsys)


def test_a_terminal_too_narrow_for_columns(
    report: Report, capsys: pytest.CaptureFixture[str], terminal: Callable[[int], None]
) -> None:
    """The detail stands below its label, and no word is cut."""
    terminal(50)
    lines = [Text.from_ansi(line).plain.rstrip() for line in _printed(report, capsys)]
    place = next(i for i, line in enumerate(lines) if line.startswith("  warning  certificate"))
    assert lines[place].endswith(" 30.0 ms")
    assert lines[place + 1].startswith("    words words")
    assert all(len(line) <= 50 for line in lines)


def test_a_terminal_too_narrow_for_anything(
    capsys: pytest.CaptureFixture[str], terminal: Callable[[int], None]
) -> None:
    """Nothing is lost: the terminal itself breaks the line."""
    terminal(20)
    show(Answer({}, [beside("a label of some width  ", "word " * 9)]), as_json=False)
    assert capsys.readouterr().out == f"a label of some width  {'word ' * 9}\n"


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json, stdout holds the data and nothing else; long text is not broken."""
    data: dict[str, Any] = {"text": "long " * 80 + HOSTILE, "umlaut": "ü"}
    code = show(Answer(data, ["line"], ["complaint"], 1), as_json=True)
    shown = capsys.readouterr()
    assert (json.loads(shown.out), shown.err, code) == (data, "", 1)


@pytest.mark.parametrize(
    "hidden", ["\x1b", "\x9b", "\x07", "\r", "\u2028", "\u202e", "\u200b", "\ud800"]
)
def test_what_does_not_show_is_an_escape(capsys: pytest.CaptureFixture[str], hidden: str) -> None:
    """Controls of both sets, line separators, changes of direction, and halves of characters."""
    show(Answer({}, [f"a{hidden}b"], [beside("c ", f"d{hidden}e")]), as_json=False)
    shown = capsys.readouterr()
    escape = hidden.encode("unicode_escape").decode()
    assert (shown.out, shown.err) == (f"a{escape}b\n", f"c d{escape}e\n")
