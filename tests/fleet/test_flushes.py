"""Many hosts flush one outbox, and die while they do."""

from __future__ import annotations

from pathlib import Path

from tests.fleet import flushing


def test_killed_flushes_lose_nothing(tmp_path: Path) -> None:
    """With `retry`, at most one mail a kill goes twice, under the same Message-ID."""
    figures = flushing.run(tmp_path, kills=5, mails=40, policy="retry")
    assert (figures.lost, figures.uncertain) == (0, 0)
    assert figures.duplicates <= figures.kills


def test_killed_flushes_submit_nothing_twice_where_that_is_asked(tmp_path: Path) -> None:
    """With `keep`, at most one mail a kill waits until somebody has looked into the relay's log."""
    figures = flushing.run(tmp_path, kills=5, mails=40, policy="keep")
    assert (figures.lost, figures.duplicates) == (0, 0)
    assert figures.uncertain <= figures.kills
