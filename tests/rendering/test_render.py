from typing import Any

import pytest

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.rendering.render import Rendered, render

BODY = "# Incident\n\nThe *database* is down."


def test_a_body_becomes_two_parts() -> None:
    """Markdown becomes a whole HTML document, and plain text for people."""
    rendered = render(BODY)
    assert rendered.html.startswith("<!DOCTYPE html>")
    assert "The <em>database</em> is down.</p>" in rendered.html
    assert rendered.text == "Incident\n========\n\nThe database is down."


def test_given_html_stands_as_it_is() -> None:
    """HTML of the caller is not wrapped, and the text still comes from the body."""
    assert render(BODY, html="<b>x</b>") == Rendered("<b>x</b>", render(BODY).text, flowed=True)


def test_given_text_stands_as_it_is() -> None:
    """Text of the caller is not touched, and the HTML still comes from the body."""
    assert render(BODY, text=" *x* \n") == Rendered(render(BODY).html, " *x* \n")


def test_both_given_parts_leave_the_body_unread() -> None:
    """Where both parts are given the body plays no role."""
    assert render(BODY, html="h", text="t") == Rendered("h", "t")


@pytest.mark.parametrize("body", ["", " \n\t\n"])
def test_an_empty_body_is_empty(body: str) -> None:
    """An empty body makes an empty text, also beside HTML of the caller."""
    assert render(body).text == ""
    assert render(body, html="<p>x</p>") == Rendered("<p>x</p>", "", flowed=True)


def test_a_part_given_as_blank_is_given() -> None:
    """A blank part replaces the rendered one like any other."""
    assert render(BODY, html="", text="") == Rendered("", "")


@pytest.mark.parametrize("given", [{}, {"html": "h", "text": "t"}])
@pytest.mark.parametrize(("body", "why"), [(5, "expected text, got int"), ("a\ud800", "half a")])
def test_a_body_that_is_no_text_is_refused(given: dict[str, Any], body: Any, why: str) -> None:
    """What no mail can carry is an error that names the argument."""
    with pytest.raises(MessageError, match=f"^body: .*{why}"):
        render(body, **given)
