"""Debian's Chromium, without a window: what the tests see as a person would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.programs import find_program

_ARGUMENTS = [
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str:
    """Find the program; without it the tests are skipped, but never in CI."""
    return find_program("chromium", "browser")


@contextmanager
def running_chromium(path: str, *more: str) -> Iterator[Browser]:
    """Run it until the block is left.

    Args:
        path: of the program.
        more: arguments of its own.
    """
    with _one_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS, *more])
        try:
            yield browser
        finally:
            browser.close()


_running: list[Playwright] = []


@contextmanager
def _one_playwright() -> Iterator[Playwright]:
    """Share the one that runs: a second one in a thread refuses the first one's event loop."""
    if _running:
        yield _running[0]
        return
    with sync_playwright() as playwright:
        _running.append(playwright)
        try:
            yield playwright
        finally:
            _running.clear()
