"""Values show as typed, wherever they land."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.templating.arguments import fill_arguments

from .filling import Reader, fill, render_body

HOSTILE = "[click](http://evil.example) <img src=x> \r\nBcc: a@b"
PLACES = {
    "text": "Title: {{ title }}.",
    "heading": "# {{ title }}",
    "strong": "**{{ title }}**",
    "list": "- {{ title }}\n- b",
    "quote": "> {{ title }}",
    "code": "`{{ title }}`",
    "fence": "```\n{{ title }}\n```",
    "indented": "    {{ title }}",
    "table": "| a |\n|---|\n| {{ title }} |",
    "link text": "[{{ title }}](https://status.example)",
    "link title": '[x](https://status.example "{{ title }}")',
    "alt": "![{{ title }}](https://status.example/i.png)",
    "first": "{{ title }}",
    "block": "{% set x %}{{ title }}{% endset %}{{ x }}",
    "changed block": "{% set x %}a b{% endset %}{{ x | replace('a', title) }}",
    "joined block": "{% set x %}a{% endset %}{{ x ~ title }} {{ x + title }}",
    "macro": "{% macro m(t) %}*{{ t }}*{% endmacro %}{{ m(title) }}",
    "joined": "{{ [title, title] | join(title) }}",
    "constant": "{{ 'a' ~ title }}",
    "raw": "{% raw %}{{ title }}{% endraw %}{{ title }}",
}


@pytest.mark.parametrize("body", PLACES.values(), ids=PLACES)
def test_a_hostile_value_is_neither_markup_nor_a_link(body: str) -> None:
    """The page has the tags and links that it has with a harmless value, but for line ends."""
    harmless, hostile = (
        Reader(render_body(body, title=title).html) for title in ("harmless", HOSTILE)
    )
    assert [tag for tag in hostile.tags if tag != "br"] == harmless.tags
    assert hostile.links == harmless.links


@pytest.mark.parametrize("place", sorted(set(PLACES) - {"link title", "alt"}))
def test_a_hostile_value_shows_as_typed(place: str) -> None:
    """Each character of it is there, in the HTML and in the plain part."""
    rendered = render_body(PLACES[place], title=HOSTILE)
    for shown in (Reader(rendered.html).text, rendered.text):
        words = [word for word in shown.split() if word != ">"]
        assert " ".join(HOSTILE.split()) in " ".join(words)


@pytest.mark.parametrize("value", ["a\x1b[2Jb", "a\x07b", "a\x9bb", "a\x7fb"])
def test_a_control_character_shows_as_a_space(value: str) -> None:
    """ESC in a value commands no terminal and loses no mail; tabs and line ends stay."""
    shown = re.sub(r"[^a-z\[2J ]", " ", value)
    assert render_body("<{{ v }}>", v=value).text == f"<{shown}>"
    filled = fill(subject="{{ v }}", text="{{ v }}\t", html="{{ v }}", context={"v": value})
    assert (filled.subject, filled.text, filled.html) == (shown, f"{shown}\t", shown)


def test_line_ends_of_a_value_show_as_line_ends() -> None:
    """A log of two lines has two lines, in text and in a code block."""
    rendered = render_body("Log: {{ log }}\n\n```\n{{ log }}\n```", log="one\ntwo")
    assert rendered.text == "Log: one\ntwo\n\n    one\n    two"
    assert re.search(r"one<br ?/?>\ntwo", rendered.html)


def test_code_shows_no_escapes() -> None:
    """What is escaped for text elsewhere stands in code as it is."""
    assert render_body("`{{ host }}`", host="web-1_a*b").text == "`web-1_a*b`"


@pytest.mark.parametrize(
    ("target", "values", "link"),
    [
        ("{{ url }}", {"url": "https://x.example/a?b=1&c=2"}, "https://x.example/a?b=1&c=2"),
        ("{{ url }}/42", {"url": "https://x.example"}, "https://x.example/42"),
        ("<{{ url }}>", {"url": "https://x.example/a b"}, "https://x.example/a%20b"),
        ("https://{{ host }}/", {"host": "grün.example"}, "https://gr%C3%BCn.example/"),
        ("https://x.example/?q={{ q }}", {"q": "a&b=c#d"}, "https://x.example/?q=a%26b%3Dc%23d"),
        ("https://x.example/{{ n }}", {"n": 42}, "https://x.example/42"),
        ("{{ url }}", {"url": 'https://x.example/" onclick="x'}, None),
    ],
)
def test_a_value_in_a_link(target: str, values: dict[str, object], link: str | None) -> None:
    """At its start it is the address; behind, it is a part of the path or the query."""
    links = Reader(render_body(f"[x]({target})", **values).html).links
    assert links == [link or "https://x.example/%22%20onclick=%22x"]


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "vbscript:x", "cid:x"],
)
@pytest.mark.parametrize("mark", ["", "!"])
def test_a_value_that_would_run_or_is_not_there_is_no_link(mark: str, url: str) -> None:
    """It shows as text, as such a link does where the author types it."""
    rendered = render_body(f"{mark}[**View**]({{{{ url }}}})", url=url)
    reader = Reader(rendered.html)
    assert reader.links == []
    assert "View" in reader.text
    assert "](" in reader.text


def test_a_very_long_value_does_not_make_a_header_that_servers_refuse() -> None:
    """A subject holds the first 500 characters of a value."""
    subject = fill(subject="{{ t }}!", context={"t": "x" * 400_000}).subject
    assert subject == "x" * 499 + "\u2026!"


@pytest.mark.parametrize("field", ["subject", "preheader"])
def test_a_header_stays_one_line(field: str) -> None:
    """Line ends and control characters of a value become blanks; nothing else changes."""
    filled = fill(**{field: "[{{ title }}]"}, context={"title": f"{HOSTILE}\x00\u2028x"})
    value = getattr(filled, field)
    assert value == "[[click](http://evil.example) <img src=x> Bcc: a@b x]"


def test_html_of_ones_own_is_escaped_for_html() -> None:
    """In ``html=``, values are text, or stand in a quoted attribute."""
    filled = fill(html='<b title="{{ t }}">{{ t }}</b>', context={"t": '<i>"&'})
    assert filled.html == '<b title="&lt;i&gt;&#34;&amp;">&lt;i&gt;&#34;&amp;</b>'


def test_text_of_ones_own_stays_as_it_is() -> None:
    """In ``text=``, nothing is markup."""
    assert fill(text="{{ t }}\n", context={"t": "<b>\n*x*"}).text == "<b>\n*x*\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (["a", "b"], "a, b"),
        ({"a": 1, "b": [2, 3]}, "a: 1, b: 2, 3"),
        (4.5, "4.5"),
        (True, "True"),
        ([], ""),
    ],
)
def test_values_that_are_no_text(value: object, shown: str) -> None:
    """They show as people write them: nothing for None, commas in lists."""
    assert fill(subject="<{{ value }}>", context={"value": value}).subject == f"<{shown}>"


def test_an_empty_value_leaves_nothing() -> None:
    """A paragraph of nothing but empty values is no paragraph."""
    assert render_body("a\n\n{{ x }}{{ y }}\n\nb", x="", y=None).text == "a\n\nb"


@pytest.mark.parametrize(
    ("body", "text", "tags"),
    [
        ("a **{{ x }}** b", "a  b", ["p", "strong"]),
        ("~~{{ x }}~~\n\n# b", "b\n=", ["h1"]),
        ("a\n{{ x }}\nb", "a  b", ["p"]),
        ("a `{{ x }}` `b`", "a  `b`", ["p", "code"]),
        ("*{{ x }}*{{ x }}*", "*", ["p", "em"]),
        ("a ~~{{ x }}~~", "a", ["p", "s"]),
        ("# {{ x }}\n\nb", "b", ["p"]),
        ("{{ x }}\n===\n\nb", "b", ["p"]),
        ('[View]({{ x }} "btn")', "View", ["p"]),
        ("[View]({{ x }})", "View", ["p"]),
        ("![graph]({{ x }})", "graph", ["p"]),
    ],
)
def test_an_empty_value_changes_no_markup(body: str, text: str, tags: list[str]) -> None:
    """The marks around it mean what they mean around any value, and no link leads nowhere."""
    rendered = render_body(body, x="")
    assert rendered.text == text
    page = Reader(rendered.html)
    around = {"body", "div", "table", "tbody", "tr", "td"}  # the card, and the inbox's text
    assert [tag for tag in page.tags if tag not in around] == tags
    assert page.links == []


def test_characters_that_stand_for_values_cannot_be_typed() -> None:
    """A private-use character, in the template or in a value, is never another value."""
    rendered = render_body("\U000f0000 {{ a }} {{ b }}", a="\U000f0001", b="secret")
    assert rendered.text == "\ufffd \ufffd secret"


@pytest.mark.parametrize(
    ("value", "ended"),
    [
        ("\u202egnp.exe", "\u202egnp.exe\u202c"),
        ("\u2067a\u202bb", "\u2067a\u202bb\u202c\u2069"),
        ("\u202ba\u2066b\u202e\u2069c", "\u202ba\u2066b\u202e\u2069c\u202c"),
        ("\u2067a\u2069 \u202bb\u202c \u2069\u202c", "\u2067a\u2069 \u202bb\u202c \u2069\u202c"),
        ("\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
    ],
)
def test_a_value_turns_only_its_own_direction(value: str, ended: str) -> None:
    """What the template writes behind it stands as it was written."""
    filled = fill(subject="{{ x }} is down", text="{{ x }}.", context={"x": value})
    assert (filled.subject, filled.text) == (f"{ended} is down", f"{ended}.")
    assert f"{ended} is down" in render_body("**{{ x }}** is down", x=value).text


def test_a_value_makes_no_line_flow() -> None:
    """A NUL in a value is what it is in Markdown: a sign that something is missing."""
    text = render_body("{{ x }}\n\n```\n{{ x }}\n```", x="a\0\nb").text
    assert text == "a\ufffd\nb\n\n    a\ufffd\n    b"


_CHARACTERS = st.characters(
    exclude_categories=["Cs", "Cc", "Co", "Cn", "Zl", "Zp"],
    exclude_characters="\u202a\u202b\u202d\u202e\u2066\u2067\u2068",
)


@given(st.text(_CHARACTERS, max_size=60))
def test_any_text_shows_as_typed(text: str) -> None:
    """Whatever the value, HTML, plain text and subject show it, and gain no tag."""
    rendered = render_body("<{{ value }}>", value=text)
    reader = Reader(rendered.html)
    assert f"<{text}>" in reader.text
    assert reader.tags == Reader(render_body("<{{ value }}>", value="x").html).tags
    subject = fill(subject="<{{ value }}>", context={"value": text}).subject
    assert subject == "<" + re.sub(r"\s+", " ", text) + ">"


@pytest.mark.parametrize("written", ["\\ud800", "\ud800"])
@pytest.mark.parametrize("field", ["subject", "body", "text", "html"])
def test_half_a_character_of_a_template_is_replaced(written: str, field: str) -> None:
    """No mail can carry it, wherever it comes from."""
    filled, values = fill_arguments({field: f"{{{{ '{written}' }}}}"}, {})
    assert values.fill(filled[field]) == "\N{REPLACEMENT CHARACTER}"
