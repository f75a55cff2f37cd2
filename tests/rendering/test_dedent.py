"""A body that is indented as the code around it is no code block."""

from __future__ import annotations

import pytest

from prefect_smtp_relay.rendering.render import render


@pytest.mark.parametrize(
    "body",
    [
        "\n        Dear Ann,\n\n        the import is done.\n    ",
        "        Dear Ann,\n\n        the import is done.",
        "Dear Ann,\n\n        the import is done.\n    ",
        "\r\n\t\tDear Ann,\r\n\r\n\t\tthe import is done.\r\n\t",
        "\n    Dear Ann,\n    \n    the import is done.\n",
    ],
)
def test_an_indented_body_is_paragraphs(body: str) -> None:
    """The indentation of a triple-quoted text says nothing."""
    rendered = render(body)
    assert rendered.text == "Dear Ann,\n\nthe import is done."
    assert "<pre" not in rendered.html


@pytest.mark.parametrize(
    "body",
    ["Log:\n\n    ERROR", "\n        Log:\n\n            ERROR\n    ", "Log:\n\n        ERROR\n "],
)
def test_indentation_within_a_body_is_kept(body: str) -> None:
    """What is indented more than the text around it is code."""
    assert ("<pre" in render(body).html) is not body.endswith("\n ")
