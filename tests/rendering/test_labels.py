"""The tone and the labels of a mail."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any, get_args

import pytest

from prefect_smtp_relay import render
from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.rendering.labels import Label, Tone, read_labels, read_tone

_BADGE = re.compile(r'class="badge badge-(\w+)"[^>]*><!--.*?-->(.*?)<!--')


def badges(html: str) -> list[tuple[str, ...]]:
    """The tone and the text of each badge."""
    return _BADGE.findall(html)


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ("SEV1, Resolved,", [("SEV1", "good"), ("Resolved", "good")]),
        (["SEV1", " Resolved ", ""], [("SEV1", "good"), ("Resolved", "good")]),
        ({"SEV1": "", "Resolved": "info"}, [("SEV1", ""), ("Resolved", "info")]),
        (None, [("Good", "good")]),
        ([], [("Good", "good")]),
    ],
)
def test_labels_have_the_tone_of_the_mail_or_their_own(value: Any, labels: list[Any]) -> None:
    """A list, a text with commas, and a mapping say the same; colour is never alone."""
    assert read_labels(value, "good") == tuple(Label(*each) for each in labels)


def test_without_tone_and_labels_there_is_nothing() -> None:
    """Neither is shown where none is given."""
    assert read_labels(None, read_tone(None)) == ()
    html = render("ann@example.org", "S", "B").html
    assert 'class="bar' not in html
    assert 'class="badge' not in html


@pytest.mark.parametrize("tone", get_args(Tone))
def test_a_bar_and_badges_are_above_the_heading(tone: Tone) -> None:
    """The bar has the colour of the tone, the badges say what it means, and the text part too."""
    mail = render("ann@example.org", "S", "# Down", tone=tone, labels=["SEV1", "<b>"])
    assert badges(mail.html) == [(tone, "SEV1"), (tone, "&lt;b&gt;")]
    page = mail.html
    assert page.index(f'class="bar bar-{tone}"') < page.index("SEV1") < page.index(">Down<")
    assert mail.text.startswith("[SEV1 | <b>]\n\nDown\n====\n")


def test_the_values_of_a_template_choose_tone_and_labels() -> None:
    """One template serves every event of an incident."""
    mail = render(
        "ann@example.org",
        "S",
        "B",
        tone="{{ 'good' if over else 'critical' }}",  # type: ignore[arg-type]  # a template
        labels=["{{ severity }}", "{{ 'Resolved' if over else '' }}"],
        context={"severity": "SEV1", "over": True},
    )
    assert badges(mail.html) == [("good", "SEV1"), ("good", "Resolved")]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"tone": "red"}, "tone: 'red' is not a tone. Write one of critical, warning, good, info."),
        ({"tone": ["good"]}, "tone: ['good'] is not a tone."),
        ({"labels": 5}, "labels: expected a list of texts, got int."),
        ({"labels": b"x"}, "labels: expected a list of texts, got bytes."),
        ({"labels": [5]}, "labels: expected text, got int"),
        ({"labels": ["a\nb"]}, "labels: contains the character '\\n' at position 1."),
        ({"labels": {"SEV1": "red"}}, "labels['SEV1']: 'red' is not a tone."),
    ],
)
def test_what_is_not_a_tone_or_a_label_is_refused(options: dict[str, Any], text: str) -> None:
    """The error names the argument and what to write."""
    with pytest.raises(MessageError) as caught:
        render("ann@example.org", "S", "B", **options)
    assert str(caught.value).startswith(text)


def test_a_wrong_tone_that_comes_as_a_value_loses_no_mail() -> None:
    """The mail goes out without it, and says so."""
    mail = render("ann@example.org", "S", "B", tone="{{ t }}", context={"t": "red"})  # type: ignore[arg-type]  # a template
    assert mail.message.left_out == ("tone: 'red' is not a tone",)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast of two colours (WCAG 2.2)."""
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_colours_of_the_stylesheet_can_be_read() -> None:
    """In the light and in the dark, text has a contrast of 4.5 to what it sets as background."""
    css = files("prefect_smtp_relay.rendering.theme").joinpath("mail.css").read_text("utf-8")
    pairs = re.findall(r"background-color: (#\w{6})[^{}]*?; color: (#\w{6})", css)
    pairs = [(background, text) for background, text in pairs if background != text]
    assert len(pairs) >= 10
    for background, text in pairs:
        assert contrast(background, text) >= 4.5, (background, text)


@pytest.mark.parametrize("page", ["#f4f5f7", "#101215", "#ffffff"])
@pytest.mark.parametrize("tone", get_args(Tone))
def test_the_bar_is_seen(tone: Tone, page: str) -> None:
    """Against the page, in both schemes, and the card it has the 3 that WCAG 1.4.11 asks for."""
    css = files("prefect_smtp_relay.rendering.theme").joinpath("mail.css").read_text("utf-8")
    found = re.search(rf"^\.bar-{tone} {{ background-color: (#\w{{6}});", css, re.MULTILINE)
    assert found
    assert contrast(found[1], page) >= 3
