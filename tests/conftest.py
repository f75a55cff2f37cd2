"""The fixtures that users get are the fixtures that the tests use."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

pytest_plugins = ["prefect_smtp_relay.testing.fixtures"]


class CliRun(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def run_cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., CliRun]]:
    """Run the command line with these words."""
    from prefect_smtp_relay import cli  # loads Prefect, which most tests do without

    def run(*words: str) -> CliRun:
        monkeypatch.setattr(sys, "argv", ["prefect-smtp-relay", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        return CliRun(int(ended.value.code or 0), shown.out, shown.err)

    yield run
    logging.disable(logging.NOTSET)  # what the command keeps up until its process ends
