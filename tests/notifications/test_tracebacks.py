"""Tracebacks are shortened by whole frames."""

from __future__ import annotations

import traceback

import pytest

from prefect_smtp_relay.notifications.tracebacks import innermost_place, shorten_traceback

_HEAD = "Encountered exception\nTraceback (most recent call last):\n"
_ENGINE = (
    '  File "/venv/lib/python3.11/site-packages/prefect/flow_engine.py", line 1349, in call\n'
    "    call_with_parameters(self.flow.fn, self.parameters)\n"
)
_OWN = (
    '  File "/srv/flows/nightly.py", line 393, in load_page\n'
    "    rows = fetch(page)\n"
    "           ^^^^^^^^^^^\n"
)
_LIBRARY = (
    '  File "/venv/lib/python3.11/site-packages/httpx/_client.py", line 917, in send\n'
    "    raise exc\n"
)
_STDLIB = '  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode\n    raise err\n'
_END = "ConnectionError: could not connect\n  to the database\n"


def test_a_frame_is_a_line_and_those_of_prefect_are_counted() -> None:
    """File, line, function and code; the last exception is not repeated."""
    assert shorten_traceback(_HEAD + _ENGINE * 3 + _OWN + _ENGINE + _LIBRARY + _END) == (
        "... 3 frames of Prefect",
        "nightly.py:393  load_page  rows = fetch(page)",
        "... 1 frame of Prefect",
        "httpx/_client.py:917  send  raise exc",
    )


def test_a_long_traceback_loses_whole_frames_in_the_middle() -> None:
    """The first three and the last nine frames stay, and the others are counted."""
    frames = "".join(_OWN.replace("393", str(number)) for number in range(500))
    lines = shorten_traceback(_HEAD + frames + _END)
    assert [line.split("  ")[0] for line in lines] == [
        *(f"nightly.py:{number}" for number in range(3)),
        "... 488 frames left out",
        *(f"nightly.py:{number}" for number in range(491, 500)),
    ]


@pytest.mark.parametrize(
    ("cycle", "said"),
    [(_OWN, "frame"), (_OWN + _LIBRARY, "2 frames"), (_OWN * 2 + _LIBRARY, "3 frames")],
)
def test_a_recursion_is_told_once(cycle: str, said: str) -> None:
    """Frames that repeat in turn are shown once, and it is told how often they repeat."""
    lines = shorten_traceback(_HEAD + _STDLIB + cycle * 9 + _LIBRARY + _END)
    assert lines[0].startswith("json/decoder.py")
    assert lines[-2] == f"... the same {said} 8 more times"
    assert lines[-1].startswith("httpx/_client.py")
    assert len(lines) == 3 + cycle.count("File")


def test_what_led_to_the_exception_is_kept() -> None:
    """A chain names the earlier exceptions between the frames."""
    chain = f"{_HEAD}{_STDLIB}KeyError: 'x'\n\nDuring handling of the above exception, another"
    text = f"{chain} exception occurred:\n\nTraceback (most recent call last):\n{_OWN}{_END}"
    assert shorten_traceback(text) == (
        "json/decoder.py:355  raw_decode  raise err",
        "KeyError: 'x'",
        "During handling of the above exception, another exception occurred:",
        "nightly.py:393  load_page  rows = fetch(page)",
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (_HEAD + _ENGINE + _OWN + _LIBRARY + _END, "nightly.py line 393"),
        (_HEAD + _LIBRARY + _STDLIB + _END, "json/decoder.py line 355"),
        ("no traceback", ""),
    ],
)
def test_the_authors_own_code_is_where_it_failed(text: str, place: str) -> None:
    """The innermost frame that is neither Prefect's nor a library's; else the innermost."""
    assert innermost_place(text) == place


@pytest.mark.parametrize(
    "text", ["", "nothing", "Traceback (most recent call last):\n", "x\n" * 99]
)
def test_other_texts_have_no_traceback(text: str) -> None:
    """Without a frame there is nothing to show."""
    assert shorten_traceback(text) == ()


def test_all_exceptions_of_a_group_are_shown() -> None:
    """Each with its frames, without the margin that Python draws: the state only counts them."""
    text = "".join(traceback.format_exception(_group()))
    here = "test_tracebacks.py"
    assert [line.partition("  ")[0].partition(":")[0] for line in shorten_traceback(text)] == [
        *(here, "ExceptionGroup", here, "ValueError", "KeyError"),
    ]
    assert shorten_traceback(text)[-1] == "KeyError: 'never raised'"
    assert shorten_traceback(text)[2].endswith('raise ValueError("one")')
    assert innermost_place(text).startswith(f"{here} line ")


def _group() -> ExceptionGroup[Exception]:
    try:
        try:
            raise ValueError("one")
        except ValueError as error:
            raise ExceptionGroup("many", [error, KeyError("never raised")]) from None
    except ExceptionGroup as group:
        return group
