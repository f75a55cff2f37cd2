"""The mails of an incident in Thunderbird."""

from __future__ import annotations

from pathlib import Path

from demo.gallery import gallery
from tests.thunderbird import running_thunderbird

_SUBJECT = "INC-42: Checkout answers with errors"


def test_the_mails_of_an_incident_are_one_thread(tmp_path: Path) -> None:
    """The first mail is the root, and the three others answer it, however they arrived."""
    mails = {name: mail.eml for name, mail in gallery()}
    arrived = ("resolved", "declared", "mitigated", "updated")
    inbox = [mails[f"incident-{event}"] for event in arrived]
    with running_thunderbird(tmp_path, [*inbox, mails["plain"]]) as thunderbird:
        rows = thunderbird.threads(5)
    assert sorted(rows) == [(0, _SUBJECT), (0, "Import done"), *[(1, _SUBJECT)] * 3]
    start = rows.index((0, _SUBJECT))
    assert rows[start : start + 4] == [(0, _SUBJECT), *[(1, _SUBJECT)] * 3]
