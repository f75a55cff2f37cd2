import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.page import wrap_in_page
from prefect_smtp_relay.rendering.render import render
from prefect_smtp_relay.rendering.theme import MAX_INLINED

NOTHING = Frame()
FULL = Frame("https://example.org/logo.png", "Acme", "What it is about", "Sent by a flow", "Title")
_VOID = {"meta", "img", "br", "hr"}


class _Outline(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("frame", [NOTHING, FULL])
def test_the_page_is_a_whole_document(frame: Frame) -> None:
    """The page has a doctype, a language, a direction, and every element is closed."""
    page = wrap_in_page("<p>Hello</p>\n", frame, "<p>Below</p>")
    outline = _Outline(page)
    tag, attributes = outline.tags[0]
    assert page.startswith("<!DOCTYPE html>")
    assert (tag, attributes["lang"], attributes["dir"]) == ("html", "en", "ltr")
    assert not outline.open
    assert page.index(">Hello</p>") < page.index(">Below</p>")


def test_the_page_works_on_a_phone_and_in_the_dark() -> None:
    """It names its characters early, fits the screen, and allows both colour schemes."""
    page = wrap_in_page("", NOTHING)
    metas = [attributes for tag, attributes in _Outline(page).tags if tag == "meta"]
    for name, content in (
        ("viewport", "width=device-width, initial-scale=1"),
        ("color-scheme", "light dark"),
        ("supported-color-schemes", "light dark"),
    ):
        assert {"name": name, "content": content} in metas
    assert page.index('<meta charset="utf-8">') < 1024 - len('<meta charset="utf-8">')
    assert "@media (prefers-color-scheme: dark) {" in page
    assert "@media (max-width: 480px) {" in page


def test_what_matters_stands_in_the_elements() -> None:
    """Programs that drop <style> find the look in each element, and no rule twice."""
    page = render("# A\n\n> b\n\n| a |\n|---|\n| b |\n\n```\nx\n```", frame=FULL).html
    styled = {tag for tag, attributes in _Outline(page).tags if attributes.get("style")}
    assert styled >= {"body", "table", "td", "th", "h1", "p", "blockquote", "pre", "code", "img"}
    kept = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)[-1].strip()
    assert kept.startswith("@media")
    assert ".card { padding: 32px" not in kept
    assert "/*" not in page


def test_what_sets_a_colour_sets_its_background(everything: str) -> None:
    """Programs that darken mails by rules of their own would else make dark texts of dark ones."""
    styles = [attributes.get("style") or "" for _, attributes in _Outline(everything).tags]
    coloured = [style for style in styles if re.search(r"(?<![-\w])color:", style)]
    assert len(coloured) > 30
    assert [style for style in coloured if "background-color:" not in style] == []


def test_rules_of_media_queries_win_over_the_elements() -> None:
    """Only what is important does: the other rules stand in the elements themselves."""
    css = files("prefect_smtp_relay.rendering.theme").joinpath("mail.css").read_text("utf-8")
    _, _, queries = css.partition("\n@media")
    declarations = re.findall(r"[\w-]+: [^;{}]+;", queries)
    assert len(declarations) > 20
    assert all(declaration.endswith(" !important;") for declaration in declarations)


def test_outlook_gets_a_column_of_its_own() -> None:
    """It knows no greatest width: a table of 600 pixels stands around, for it alone."""
    page = wrap_in_page("", NOTHING)
    assert re.search(r'<!--\[if mso\]><table role="presentation" [^>]*width="600"', page)
    assert "mso-line-height-rule: exactly" in page


def test_tables_of_the_layout_are_no_tables_to_screen_readers() -> None:
    """Each has the role of presentation; a table of data has none."""
    tables = re.findall(
        r"<table[^>]*>", render("[a](https://b 'btn')\n\n| a |\n|---|", frame=FULL).html
    )
    data = [table for table in tables if 'role="presentation"' not in table]
    assert len(tables) == 5
    assert len(data) == 1
    assert 'class="data"' in data[0]


def test_the_page_loads_nothing() -> None:
    """Nothing in the page asks another host, which would tell it who reads the mail."""
    assert not re.search(r"https?:|url\(|src=|@import", wrap_in_page("", NOTHING))


@pytest.mark.parametrize("text", ["$content ${content} $$", "{{ content }} {% raw %}"])
def test_what_looks_like_a_template_is_text(text: str) -> None:
    """What looks like a placeholder in body, name and footer is no placeholder."""
    page = render(text, frame=Frame(name=text, preheader=text, footer=text, title=text)).html
    assert page.count(text) == 5


def test_the_page_names_its_language() -> None:
    """Programs that read aloud need it; the footer's words are English in any mail."""
    page = render("Hallo", frame=Frame(language="de", footer="Sent by a flow.")).html
    assert '<html lang="de"' in page
    assert re.search(r'<td[^>]* lang="en"[^>]*>\s*<p[^>]*>Sent by a flow', page)


def test_the_frame_is_small() -> None:
    """Gmail cuts a mail off at 102 KB: of these the frame takes less than a twelfth."""
    assert len(render("b", frame=FULL).html.encode()) < 8_000


ROW = "| 2026-03-14 02:06 | nightly-import | maize-saluki | Failed | 12 s |\n"


@pytest.mark.parametrize(
    "body",
    ["word " * 20_480, "word " * 200_000, f"| a | b | c | d | e |\n|-|-|-|-|-|\n{ROW * 200}"],
    ids=["long", "very long", "long once the stylesheet is in its elements"],
)
def test_a_long_page_keeps_its_stylesheet_in_one_place(body: str) -> None:
    """Its look is the same, and its size is that of its text."""
    page = render(body, frame=FULL).html
    assert ".card { padding: 32px" in page
    assert "<p>" in page or "<td>" in page


def test_gmail_clips_no_table_that_fits() -> None:
    """What is looked at is the page as it is submitted, in bytes."""
    for rows in range(150, 190, 5):
        body = "| a | b | c | d | e |\n|-|-|-|-|-|\n" + ROW.replace("F", "\u00fc") * rows
        assert len(render(body, frame=FULL).html.encode()) <= MAX_INLINED, rows
