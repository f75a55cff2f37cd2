"""CHANGELOG.md is what the next release, and a reader who upgrades, can work with."""

from __future__ import annotations

import re

import pytest

from prefect_smtp_relay import __version__
from release.changelog import GROUPS, UNRELEASED, Section, sections
from tests.rooms import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
SECTIONS = sections(TEXT)
DATED = SECTIONS[1:]


def test_the_newest_version_is_the_packages() -> None:
    """What is unreleased is on top, and the version below it is the one that is installed."""
    assert (SECTIONS[0].version, SECTIONS[0].day) == (UNRELEASED, "")
    assert DATED[0].version == __version__
    assert DATED[-1].version == "0.1.0"


def test_versions_and_days_go_down() -> None:
    """The newest version comes first."""
    keys = [([int(n) for n in each.version.split(".")], each.day) for each in DATED]
    assert keys == sorted(keys, reverse=True)
    assert all(each.day for each in DATED)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.version)
def test_groups_come_once_and_in_their_order(section: Section) -> None:
    """What asks for a change comes first, and nobody has to look at two places for one kind."""
    assert section.groups == [group for group in GROUPS if group in section.groups]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.version)
def test_each_version_links_to_its_changes(section: Section) -> None:
    """The brackets of a heading are a link."""
    assert re.search(rf"^\[{re.escape(section.version)}\]: https://", TEXT, re.MULTILINE)
