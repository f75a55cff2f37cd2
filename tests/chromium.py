"""Debian's Chromium, without a window: what the tests see as a person would."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

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
    path = shutil.which("chromium")
    if path is None and os.environ.get("CI"):
        pytest.fail("no chromium: .ci/run installs it with apt-get")
    if path is None:
        pytest.skip("needs a browser: apt-get install chromium")
    return path


@contextmanager
def running_chromium(path: str) -> Iterator[Browser]:
    """Run it until the block is left."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
