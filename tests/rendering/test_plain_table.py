from prefect_smtp_relay.rendering.markdown import parse
from prefect_smtp_relay.rendering.plain_text import to_plain_text


def plain(*rows: str) -> list[str]:
    """Render the rows of a table as lines."""
    return to_plain_text(parse("\n".join(rows))).split("\n")


def test_columns_are_aligned() -> None:
    """Cells stand below their heading, to the left, centred or to the right as the table says."""
    assert plain(
        "| Host | State | Errors |",
        "|:-----|:-----:|-------:|",
        "| web-1 | **up** | 3 |",
        "| database-1 | [down](http://x.org) | 12000 |",
    ) == [
        "Host               State         Errors",
        "----------  -------------------  ------",
        "web-1               up                3",
        "database-1  down (http://x.org)   12000",
    ]


def test_wide_characters_take_two_columns() -> None:
    """Columns stay straight with characters of double and of no width, and with emoji."""
    family, flag = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea"
    firefighter = "\U0001f469\U0001f3fd\u200d\U0001f692"
    emoji = plain("|abc|b|", "|-|-|", f"|{family}|1|", f"|{firefighter}|2|", f"|{flag}|3|")
    assert emoji[2:] == [f"{family}   1", f"{firefighter}   2", f"{flag}   3"]
    assert plain("|a|b|", "|-|-|", "|\u65e5\u672c|1|", "|e\u0301|2|") == [
        "a     b",
        "----  -",
        "\u65e5\u672c  1",
        "e\u0301     2",
    ]


def test_missing_cells_are_blank() -> None:
    """A short row leaves blanks, and a table without rows is its heading."""
    assert plain("|a|b|", "|-|-|", "|1|") == ["a  b", "-  -", "1"]
    assert plain("|a|b|", "|-|-|") == ["a  b", "-  -"]


def test_a_wide_table_becomes_records() -> None:
    """A table too wide for a text mail is written row by row, each cell with its heading."""
    text = "word " * 20
    assert plain(
        "| Host | What happened | |", "|-|-|-|", f"| web-1 | {text} | x |", "| web-2 | | |"
    ) == [
        "Host: web-1",
        "What happened: " + "word " * 10 + "word",
        "  " + "word " * 8 + "word",
        "x",
        "",
        "Host: web-2",
    ]


def test_a_wide_heading_without_rows_is_kept() -> None:
    """A heading alone that is too wide is a line of its own."""
    assert plain(f"| {'a' * 60} | {'b' * 60} |", "|-|-|") == ["a" * 60 + " |", "b" * 60]


def test_a_long_label_is_cut() -> None:
    """A heading that would be repeated in every record has at most forty characters there."""
    lines = plain(f"| {'h' * 200} |", "|-|", "| 1 |", "| 2 |")
    assert lines == ["h" * 39 + "\u2026: 1", "", "h" * 39 + "\u2026: 2"]


def test_a_table_of_labels_has_no_heading() -> None:
    """Labels and values stand in columns, without a rule; nothing at all makes no lines."""
    assert plain("| | |", "|-|-|", "| Severity | SEV1 |", "| By | Ann |") == [
        "Severity  SEV1",
        "By        Ann",
    ]
    assert plain("| | |", "|-|-|", "", "text") == ["text"]


def test_a_wide_table_of_labels_becomes_lines() -> None:
    """Each label stands before its value, which is wrapped below it."""
    assert plain("| | |", "|-|-|", f"| Why | {'word ' * 20}|", "| By | |") == [
        "Why: " + "word " * 12 + "word",
        "  " + "word " * 6 + "word",
        "By:",
    ]
