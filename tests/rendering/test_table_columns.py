"""How wide the columns of tables are."""

from __future__ import annotations

import re

import pytest

from prefect_smtp_relay.rendering.markdown import parse, to_html


def widths(body: str) -> list[str]:
    """The widths of the first row."""
    return re.findall(r' width="([^"]*)"', to_html(parse(body)))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("| a | b |\n|-|-|\n| c | d |", ["50%", "50%"]),
        ("| Host | Errors | Message |\n|-|-|-|\n| db | 1 | " + "word " * 30, ["19%", "25%", "56%"]),
        ("| " + "x" * 99 + " | b |\n|-|-|\n| c | d |", ["91%", "9%"]),
        ("| | |\n|-|-|\n| Commander | Ann |\n| Open for | 3 h |", ["96"]),
        ("| | |\n|-|-|\n| " + "x" * 99 + " | y |", ["160"]),
    ],
)
def test_columns_have_room_for_their_words(body: str, expected: list[str]) -> None:
    """Long texts share what short ones leave; labels are as wide as the longest, within bounds."""
    assert widths(body) == expected


def test_cells_of_wide_tables_name_their_column() -> None:
    """Rows of more than three columns are records on a phone; the names are hidden elsewhere."""
    wide = to_html(parse("| a | *b* `c` | <d> | e |\n|-|-|-|-|\n| 1 | 2 | 3 | 4 |"))
    assert 'class="data records"' in wide
    assert re.findall(r'<span class="label">(.*?) </span>', wide) == ["a", "b c", "&lt;d&gt;", "e"]
    narrow = to_html(parse("| a | b | c |\n|-|-|-|\n| 1 | 2 | 3 |"))
    assert "records" not in narrow
    assert "label" not in narrow
