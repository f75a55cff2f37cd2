"""``preview`` of a flow: its mails are captured, and no Prefect API hears of it."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.readme import ROOT, code_blocks

RunCli = Callable[..., Any]
Run = Callable[..., Any]

_COMMAND = Path(sys.executable).with_name("prefect-smtp-relay")
_PATIENCE_SECONDS = 120
_SIZE = re.compile(r"(?<=size   )[\d,]+")
_HEAD = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
from prefect import flow, get_run_logger, task, unmapped
from prefect.runtime import flow_run
from prefect_smtp_relay import SMTP, asend_an_email, send_an_email, send_emails
ANN = "ann@example.org"
"""


@pytest.fixture
def preview(
    run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Preview a flow file of this text, with these parameters; return subjects, or the run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    names = set(sys.modules)

    def run(text: str, *, name: str = "", context: Any = None, words: tuple[str, ...] = ()) -> Any:
        (tmp_path / "mails.py").write_text(_HEAD + text, "utf-8")
        (tmp_path / "c.json").write_text(json.dumps(context or {}), "utf-8")
        source = f"mails.py:{name}" if name else "mails.py"
        return run_cli("preview", source, "--context", "c.json", *words)

    yield run
    for added in set(sys.modules) - names:
        if added == "mails" or added.startswith("__prefect_loader_"):
            del sys.modules[added]


def _subjects(run: Any) -> list[str]:
    assert (run.code, run.err) == (0, "")
    return [mail["subject"] for mail in json.loads(run.out)["mails"]]


def test_the_example_of_the_readme_as_a_process(tmp_path: Path) -> None:
    """The real command prints what the README shows, and the API gets not one call."""
    [command] = [b.code for b in code_blocks("shell") if "preview" in b.code]
    [context] = [b.code for b in code_blocks("json")]
    [printed] = [b.code for b in code_blocks("text") if "Nothing was submitted" in b.code]
    (tmp_path / "incident.json").write_text(context, "utf-8")
    words = shlex.split(command.replace(" --open", "").replace("flows/", f"{ROOT}/flows/"))
    with socket.create_server(("127.0.0.1", 0)) as api:
        api.setblocking(False)
        url = f"http://127.0.0.1:{api.getsockname()[1]}/api"
        done = subprocess.run(  # noqa: S603  # our own command
            [_COMMAND, *words[1:]],
            cwd=tmp_path,
            env=os.environ | {"PREFECT_API_URL": url},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )
        assert (done.returncode, done.stderr) == (0, "")
        with pytest.raises(BlockingIOError):
            api.accept()
    assert _SIZE.sub("", done.stdout) == _SIZE.sub("", printed)
    assert "Sent by the flow incident-notification" in (tmp_path / "mail.txt").read_text("utf-8")
    assert b"X-Priority: 1\r\n" in (tmp_path / "mail.eml").read_bytes()
    assert "Checkout answers with errors" in (tmp_path / "mail.html").read_text("utf-8")


@pytest.mark.parametrize(
    "call",
    [
        'send_an_email(ANN, "S", "b")',
        'send_an_email.fn(ANN, "S", "b")',
        'send_an_email.with_options(retries=0)(ANN, "S", "b", relay="smtp/main")',
        'send_an_email.submit(ANN, "S", "b").result()',
        'send_an_email.submit(ANN, "S", "b", return_state=True).result()',
        'send_an_email(ANN, "S", "b", return_state=True).result()',
        'send_an_email.delay(ANN, "S", "b").wait()',
        'send_an_email.map([ANN], subject="S", body=unmapped("b")).result()',
        'send_an_email.map([ANN], "S", "b", return_state=True)[0].result()',
        'send_emails([{"to": ANN, "subject": "S", "body": "b"}])',
        'asend_an_email.submit(ANN, "S", "b").result()',
        'asyncio.run(asend_an_email(ANN, "S", "b"))',
        'ThreadPoolExecutor(1).submit(send_an_email.fn, ANN, "S", "b").result()',
        'send_an_email(ANN, "S", "b", relay=SMTP(address="127.0.0.1", port=9), artifact=True)',
    ],
)
def test_every_way_to_call_the_task_is_captured(preview: Run, call: str) -> None:
    """Whatever the flow does with the task, the mail is a file, and the call returns."""
    text = f"@flow\ndef tell():\n    assert {call}\n"
    if call.endswith(".wait()"):
        text = text.replace("assert ", "")
    assert _subjects(preview(text, words=("--json",))) == ["S"]


def test_tasks_and_subflows_run_as_functions(preview: Run) -> None:
    """Parameters are converted, futures are resolved, loggers and the runtime answer."""
    text = """
@task(retries=3)
def double(n: int) -> int:
    get_run_logger().info("logged nowhere")
    print("shown on stderr")
    return 2 * n

@task
async def add(a, b):
    return a + b

@flow
def inner(n: int):
    send_an_email(ANN, f"{n + 1} {flow_run.name}", "b")

@flow
async def tell(n: int, words: list[str] = [], **others):
    four = double.submit(n)
    six = await add(four, b=2)
    state = await add(1, 1, return_state=True)
    total = add.submit(six, wait_for=[four], b=await state.result()).result()
    inner(str(total + sum(double.map([1, 2]).result())))
    await asend_an_email(ANN, "".join(words), "b")
"""
    context = {"n": "2", "words": ["a", "b"], "any": 1}
    run = preview(text, name="tell", context=context, words=("--json",))
    assert (run.code, run.err) == (0, "shown on stderr\n" * 3), run
    mails = json.loads(run.out)["mails"]
    assert [mail["subject"] for mail in mails] == ["15 preview", "ab"]
    assert [mail["html"] for mail in mails] == ["mail-1.html", "mail-2.html"]
    assert all(Path(mail[kind]).is_file() for mail in mails for kind in ("html", "txt", "eml"))


def test_flows_and_tasks_are_runs_again_afterwards(preview: Run) -> None:
    """Nothing of the preview stays in the process."""
    from prefect import Flow, Task

    before = [*vars(Flow).items()], [*vars(Task).items()]
    preview("@flow\ndef tell():\n    send_an_email(ANN, 'S', 'b')\n")
    preview("@flow\ndef tell():\n    raise ValueError\n")
    assert ([*vars(Flow).items()], [*vars(Task).items()]) == before


def test_a_file_that_is_gone_after_the_flow_is_in_its_mail(preview: Run, tmp_path: Path) -> None:
    """The mail is rendered when it would be submitted."""
    text = """
from pathlib import Path
@flow
def tell():
    Path("gone.txt").write_text("content")
    send_an_email(ANN, "S", "b", attachments=["gone.txt"])
    Path("gone.txt").unlink()
"""
    assert preview(text).code == 0
    assert b"gone.txt" in (tmp_path / "mail.eml").read_bytes()


def test_a_thread_that_outlives_its_flow_submits_nothing(preview: Run) -> None:
    """What is sent when the files are written already is captured too."""
    text = """
@flow
def tell():
    send_an_email(ANN, "S", "b")
late = send_an_email.fn
"""
    assert preview(text).code == 0
    receipt = sys.modules["mails"].late("ann@example.org", "Late", "b", relay="smtp/main")
    assert receipt.transport == "preview:"


@pytest.mark.parametrize(
    ("text", "name", "context", "told"),
    [
        ("x = 1", "", {}, "mails.py: holds no flows; name a file with a function under @flow."),
        (
            "@flow\ndef a(): ...\n@flow\ndef b(): ...",
            "",
            {},
            "mails.py: holds 2 flows; name one: mails.py:a or mails.py:b.",
        ),
        ("@flow\ndef a(): ...", "b", {}, "there is no flow 'b'; name one: mails.py:a."),
        ("import no_such_thing", "", {}, "mails.py, line 8: ModuleNotFoundError: No module named"),
        ("def (", "", {}, "mails.py: SyntaxError: invalid syntax"),
        ("@flow\ndef a(n, m=1): ...", "", {}, "--context: n is missing. The parameters of the fl"),
        ("@flow\ndef a(n): ...", "", {"n": 1, "m": 1}, "--context: there is no m. The parameters"),
        ("@flow\ndef a(): ...", "", {"m": 1}, "The parameters of the flow 'a' are none: write"),
        ("@flow\ndef a(n: int): ...", "", {"n": "x"}, "--context: n: Input should be a valid int"),
        ("@flow\ndef a(): send_an_email('x', 's', 'b')", "", {}, "to: 'x' is not an e-mail"),
    ],
)
def test_wrong_uses(preview: Run, text: str, name: str, context: Any, told: str) -> None:
    """One line on stderr names the flow or the parameter, and the exit code is 2."""
    run = preview(text, name=name, context=context)
    assert (run.code, run.out) == (2, "")
    assert told in run.err
    assert len(run.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("@flow\ndef tell(): ...", "mails.py: the flow sent no mail, so nothing was written."),
        (
            "@flow\ndef tell():\n    send_an_email(ANN, 'S', 'b')\n    raise ValueError('x')",
            "mails.py, line 11: ValueError: x",
        ),
    ],
)
def test_a_flow_that_brings_no_preview(preview: Run, tmp_path: Path, text: str, told: str) -> None:
    """What the flow did is told with the line of the file, and the exit code is 1."""
    run = preview(text)
    assert (run.code, run.out, run.err) == (1, "", f"{told}\n")
    assert not list(tmp_path.glob("mail.*"))


@pytest.mark.parametrize("option", ["--subject", "--to", "--from", "--preheader", "--inline-image"])
def test_a_flow_writes_its_own_mail(preview: Run, option: str) -> None:
    """Options of a Markdown file are refused, before the flow runs."""
    run = preview("@flow\ndef tell(): raise ValueError", words=(option, "x"))
    assert (run.code, run.err) == (2, f"{option}: is for FILE.md; a flow writes its own mail.\n")
