"""What a mail is in a word or two: its tone, and the labels above its heading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.mail.headers.fields import check_text

Tone = Literal["critical", "warning", "good", "info"]
LabelsInput = str | Sequence[str] | Mapping[str, Tone | Literal[""]] | None
"""A text with commas between the labels, a list, or a mapping of each to a tone of its own."""


class Label(NamedTuple):
    """A word in a shape of its own.

    Args:
        text: what it says.
        tone: its colour; empty for grey.
    """

    text: str
    tone: Tone | Literal[""] = ""


def read_tone(value: Any, field: str = "tone") -> Tone | Literal[""]:
    """Return a tone; None and the empty text are none.

    Raises:
        MessageError: it is another word.
    """
    for tone in get_args(Tone):
        if value == tone:
            return tone  # type: ignore[no-any-return]  # get_args knows no types
    if value:
        words = ", ".join(get_args(Tone))
        raise MessageError(f"{value!r} is not a tone", f"Write one of {words}.", field=field)
    return ""


def read_labels(value: LabelsInput, tone: Tone | Literal[""]) -> tuple[Label, ...]:
    """Read the ``labels`` argument.

    Args:
        value: text with commas between the labels, a list of texts, or a mapping of texts to
            their tones; empty labels are left out.
        tone: of the mail: of labels that have none of their own, and itself the label where there
            is none, for colour alone says nothing to some readers (WCAG 2.2, 1.4.1).

    Raises:
        MessageError: one of them is not one line of text, or its tone is not a tone.
    """
    given = value.split(",") if isinstance(value, str) else value or ()
    if isinstance(given, bytes) or not isinstance(given, (Mapping, Sequence)):
        raise MessageError(
            f"expected a list of texts, got {type(value).__name__}",
            "Write labels=['SEV1', 'Resolved'].",
            field="labels",
        )
    tones = given if isinstance(given, Mapping) else {}
    labels = [
        Label(text, read_tone(tones.get(each, tone), f"labels[{each!r}]"))
        for each in given
        if (text := check_text(each, "labels").strip())
    ]
    return tuple(labels) or ((Label(tone.capitalize(), tone),) if tone else ())
