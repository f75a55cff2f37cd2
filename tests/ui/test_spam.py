"""The gallery's mails as a spam filter sees them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from demo.gallery import gallery
from tests.programs import find_program

_HIGHEST_SCORE = 0.5
_STATUS = re.compile(r"^X-Spam-Status: \w+, score=(\S+) .*?tests=(\S+)", re.MULTILINE)


def test_a_spam_filter_finds_nothing_in_any_mail(tmp_path: Path) -> None:
    """SpamAssassin's offline rules score 0.5 at most; one run of it reads them all."""
    program = find_program("spamassassin", "filter")
    for name, mail in gallery():
        tmp_path.joinpath(f"{name}.eml").write_bytes(mail.eml)
    files = sorted(tmp_path.glob("*.eml"))
    done = subprocess.run(  # noqa: S603 - Debian's program, our own files
        [program, "--local", "--test-mode", "--nocreate-prefs", *files],
        env={**os.environ, "HOME": str(tmp_path), "LC_ALL": "C"},
        capture_output=True,
        check=True,
        timeout=300,
    )
    found = _STATUS.findall(re.sub(r"\r?\n\t", "", done.stdout.decode(errors="replace")))
    assert len(found) == len(files)
    for file, (score, rules) in zip(files, found, strict=True):
        assert float(score) <= _HIGHEST_SCORE, (file.name, rules)
