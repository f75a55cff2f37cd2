from typing import Any

import pytest

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.rendering.frame import Frame
from prefect_smtp_relay.rendering.render import Rendered, render

BODY = "# Incident\n\nThe *database* is down."


def test_a_body_becomes_two_parts() -> None:
    """Markdown becomes a whole HTML document, and plain text for people."""
    rendered = render(BODY)
    assert rendered.html.startswith("<!DOCTYPE html>")
    assert "The <em>database</em> is down.</p>" in rendered.html
    assert rendered.text == "Incident\n========\n\nThe database is down."


def test_given_html_is_used_as_it_is() -> None:
    """HTML of the caller is not wrapped, and the text still comes from the body."""
    assert render(BODY, html="<b>x</b>") == Rendered("<b>x</b>", render(BODY).text, flowed=True)


def test_given_text_is_used_as_it_is() -> None:
    """Text of the caller is not touched, and the HTML still comes from the body."""
    assert render(BODY, text=" *x* \n") == Rendered(render(BODY).html, " *x* \n")


def test_both_given_parts_leave_the_body_unread() -> None:
    """Where both parts are given the body plays no role."""
    assert render(BODY, html="h", text="t") == Rendered("h", "t")


@pytest.mark.parametrize("body", ["", " \n\t\n"])
@pytest.mark.parametrize("given", [{}, {"html": ""}, {"text": " "}, {"html": "", "text": ""}])
def test_an_empty_mail_is_refused(body: str, given: dict[str, Any]) -> None:
    """Nobody means to send nothing; the error names what to write."""
    with pytest.raises(
        MessageError, match=r"^body: is empty\. Write one, or give `text` or `html`"
    ):
        render(body, **given)


def test_text_alone_is_text_alone() -> None:
    """A ticket system or an SMS gateway gets no HTML beside it."""
    assert render("", text="Import failed.\n") == Rendered("", "Import failed.\n")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Nightly import <b>failed</b>.</p>", "Nightly import failed."),
        (
            "<!doctype html><html><head><title>t</title><style>p{}</style></head><body>"
            "<div style='display:none'>hidden</div><h1>Hi</h1><p>one</p><script>x</script>"
            "<ul><li>a</li><li>b</li></ul></body></html>",
            "Hi\n\none\n\n  * a\n  * b",
        ),
        ('<a href="https://x.example/1">View</a>.', "View (https://x.example/1)."),
        ('<a href="https://x.example">https://x.example</a>', "https://x.example"),
        ('<a href="mailto:a@x.example">a@x.example</a> <a href="#top">up</a>', "a@x.example up"),
        ('<img src="cid:x" alt="graph"> of today', "[graph] of today"),
        ("<table><tr><th>Host<th>State<tr><td>web-1<td>down</table>",
         "Host   State\nweb-1  down"),
        ("<?xml version='1.0' encoding='latin-1'?><p>\u00fc</p>", "\u00fc"),
        ("<p>a\x1b[2J\u200b</p>", "a[2J"),
        ("a &lt;b&gt;<br>c", "a <b>\nc"),
        ("not html", "not html"),
        ('<img src="cid:x">', "The subject"),
        ("<!-- nothing -->", "The subject"),
    ],
)  # fmt: skip
def test_the_text_of_html_alone_is_derived_from_it(html: str, text: str) -> None:
    """It says what the HTML says; HTML that says nothing has the subject for its text."""
    frame = Frame(title="The subject", footer="Sent by a flow.")
    assert render("", html=html, frame=frame) == Rendered(html, text)


def test_a_table_with_one_long_cell_does_not_explode() -> None:
    """Its columns would be as wide as that cell in every row."""
    rows = "<tr><td>y</td></tr>" * 20_000
    html = f"<table><tr><td>{'x' * 10_000}</td></tr>{rows}</table>"
    assert len(render("", html=html).text) < len(html)


def test_a_part_given_as_empty_is_given() -> None:
    """An empty part replaces the rendered one like any other."""
    assert render(BODY, html="", text="") == Rendered("", "")


@pytest.mark.parametrize("given", [{}, {"html": "h", "text": "t"}])
@pytest.mark.parametrize(("body", "why"), [(5, "expected text, got int"), ("a\ud800", "half a")])
def test_a_body_that_is_no_text_is_refused(given: dict[str, Any], body: Any, why: str) -> None:
    """What no mail can carry is an error that names the argument."""
    with pytest.raises(MessageError, match=f"^body: .*{why}"):
        render(body, **given)
