import pytest

from prefect_smtp_relay.rendering.markdown import parse
from prefect_smtp_relay.rendering.plain_text import LINE_WIDTH, to_plain_text

URL = "https://grafana.example.org/d/" + "x" * 90


def plain(body: str) -> str:
    """Render Markdown as plain text."""
    return to_plain_text(parse(body))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("# One", "One\n==="),
        ("## Zw\u00f6lf", "Zw\u00f6lf\n-----"),
        ("# \u65e5\u672c", "\u65e5\u672c\n===="),
        ("### Three", "Three"),
        ("#", ""),
        ("# One\ntext", "One\n===\n\ntext"),
        ("a\nb", "a b"),
        ("a  \nb\\\nc", "a\nb\nc"),
        ("a\n\nb", "a\n\nb"),
        ("*a* **b** ***c***", "a b c"),
        ("`a  b`", "`a  b`"),
        ("~~down~~ up", "~~down~~ up"),
        ("&amp; &lt;b&gt; &uuml;&nbsp;&euro;", "& <b> \u00fc\u00a0\u20ac"),
        ("<b>x</b>", "<b>x</b>"),
        ("a\n\n***\n\nb", f"a\n\n{'-' * LINE_WIDTH}\n\nb"),
        ("\\*a\\*", "*a*"),
    ],
)
def test_text_reads_well(body: str, expected: str) -> None:
    """Headings are underlined, breaks kept, marks of emphasis dropped, entities decoded."""
    assert plain(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("[text](https://x.org)", "text (https://x.org)"),
        ("[*a* `b`](https://x.org 'title')", "a `b` (https://x.org)"),
        ("[text][1]\n\n[1]: https://x.org", "text (https://x.org)"),
        ("<https://x.org/a?b=c>", "https://x.org/a?b=c"),
        ("[https://x.org](https://x.org)", "https://x.org"),
        ("<ann@x.org>", "ann@x.org"),
        ("[ann@x.org](mailto:ann@x.org)", "ann@x.org"),
        ("[Ann](mailto:ann@x.org)", "Ann (ann@x.org)"),
        ("[](https://x.org)", "https://x.org"),
        ("[text]()", "text"),
        ("[a](https://x.org/\u00fc)", "a (https://x.org/%C3%BC)"),
        ("<https://b\u00fccher.example/\u00fc>", "https://xn--bcher-kva.example/%C3%BC"),
        ("[a](javascript:x)", "[a](javascript:x)"),
    ],
)
def test_link_targets_are_visible_once(body: str, expected: str) -> None:
    """A link shows its target behind its text, but not twice where the text is the target."""
    assert plain(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("![the logo](cid:logo)", "[the logo]"),
        ("a ![*b* [c](https://x.org)](cid:d) e", "a [b c] e"),
        ("![](cid:pixel)", ""),
        ("[![badge](cid:b)](https://x.org)", "[badge] (https://x.org)"),
        ("![a\nb](cid:c)", "[a b]"),
    ],
)
def test_images_are_their_alt_text(body: str, expected: str) -> None:
    """An image is read as its alternative text in brackets, one without any as nothing."""
    assert plain(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("* a\n* b", "- a\n- b"),
        ("- a\n\n- b", "- a\n\n- b"),
        ("7. a\n7. b\n1. c", "7. a\n8. b\n9. c"),
        ("9) a\n10) b", "9)  a\n10) b"),
        ("0. a", "0. a"),
        ("- a\n  - b\n    1. c\n    2. d\n- e", "- a\n  - b\n    1. c\n    2. d\n- e"),
        ("1. a\n   - b", "1. a\n   - b"),
        ("- a\n\n  b\n- c", "- a\n\n  b\n\n- c"),
        ("- a\n  > b\n- ", "- a\n  > b\n-"),
        ("- ```\n  x\n  ```", "-     x"),
        ("- a\n\n1. b", "- a\n\n1. b"),
        ("- - a", "- - a"),
    ],
)
def test_lists_keep_their_order_and_nesting(body: str, expected: str) -> None:
    """Items are marked, numbered from their start, indented, and as loose as they were typed."""
    assert plain(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("> a\n> b", "> a b"),
        ("> a\n>\n> b", "> a\n>\n> b"),
        ("> a\n> > b", "> a\n>\n>> b"),
        ("> - a\n> - b", "> - a\n> - b"),
        (">", ""),
        ("\\> a", " > a"),
        ("> \\> a", ">  > a"),
    ],
)
def test_quotes_are_marked_on_every_line(body: str, expected: str) -> None:
    """Every line of a quote begins with its marks, one for each level (RFC 3676, 4.5)."""
    assert plain(body) == expected


def test_code_is_indented_and_never_wrapped() -> None:
    """Code keeps its lines, blanks and length, without the fence or blanks at line ends."""
    line = "$ " + "word " * 40 + "end"
    assert plain(f"```sh\n{line}\n\n  <b>&amp;  \n```") == f"    {line}\n\n      <b>&amp;"
    assert plain(f"    {line}") == f"    {line}"
    assert plain("```\n\n```") == ""


def test_paragraphs_are_wrapped_but_not_urls() -> None:
    """No line is longer than the width, but for a word such as a URL."""
    lines = plain(f"{'word ' * 60}[the dashboard]({URL}) {'word ' * 20}").split("\n")
    assert f"({URL}) " in lines
    assert all(len(line.rstrip()) <= LINE_WIDTH for line in lines if URL not in line)
    assert max(map(len, lines[:3])) > LINE_WIDTH - 6


def test_a_hyphen_is_no_place_to_wrap() -> None:
    """A host name or an option with hyphens stays whole."""
    word = "a-b-" * 30 + "c"
    assert word in plain(f"{'x ' * 30}{word}").split("\n")


def test_nested_text_is_wrapped_within_its_indent() -> None:
    """Wrapped lines of a quoted item stand below its text, inside the width."""
    lines = plain("> 10. " + "word " * 30).split("\n")
    assert lines[0].startswith("> 10. word")
    assert all(line.startswith(">     word") for line in lines[1:])
    assert max(map(len, lines)) <= LINE_WIDTH


def test_control_characters_are_left_out() -> None:
    """Control characters, typed or as an entity, do not reach the text; a tab in code does."""
    assert plain("a\x07\x1b[31m\x7f\x85b &#12;c&#13;d") == "a[31mb  c d"
    assert plain("```\na\tb\x00\n```") == "    a\tb\ufffd"
