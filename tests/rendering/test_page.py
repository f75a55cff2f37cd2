import re
from html.parser import HTMLParser

from prefect_smtp_relay.rendering.page import wrap_in_page


class _Outline(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_a_whole_document() -> None:
    """The page has a doctype, a language, and every element is closed."""
    page = wrap_in_page("<p>Hello</p>\n")
    outline = _Outline(page)
    assert page.startswith("<!doctype html>\n")
    assert ("html", {"lang": "en"}) in outline.tags
    assert not outline.open
    assert "<p>Hello</p>\n</div>" in page


def test_the_page_works_on_a_phone_and_in_the_dark() -> None:
    """The page names its characters, fits the screen, and allows both colour schemes."""
    metas = [attributes for tag, attributes in _Outline(wrap_in_page("")).tags if tag == "meta"]
    assert {"charset": "utf-8"} in metas
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in metas
    assert {"name": "color-scheme", "content": "light dark"} in metas


def test_the_body_is_one_centred_column() -> None:
    """The column is at most 600 pixels wide and in the system's font."""
    styles = [a.get("style") or "" for tag, a in _Outline(wrap_in_page("")).tags if tag == "div"]
    assert len(styles) == 1
    assert "max-width: 600px; margin: 0 auto" in styles[0]
    assert "-apple-system" in styles[0]


def test_the_page_loads_nothing() -> None:
    """Nothing in the page asks another host, which would tell it who reads the mail."""
    assert not re.search(r"https?:|url\(|src=|@import", wrap_in_page(""))


def test_dollars_in_the_body_are_text() -> None:
    """What looks like a placeholder in the body is no placeholder."""
    assert "<p>$content ${content} $$</p>" in wrap_in_page("<p>$content ${content} $$</p>")
