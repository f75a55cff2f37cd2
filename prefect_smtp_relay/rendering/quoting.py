"""Put text from outside into Markdown, so that it is shown and never interpreted."""

from __future__ import annotations

import re

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")


def escape_markdown(text: str) -> str:
    r"""Write a text as one line of Markdown that shows it as it is: no link, image or markup.

    Every ASCII punctuation character may stand behind a backslash (CommonMark, section 2.4).

    Args:
        text: for example an incident's title; its line ends become blanks.

    Example:
        >>> escape_markdown("[pay](https://evil.example) *now*")
        '\\[pay\\]\\(https\\:\\/\\/evil\\.example\\) \\*now\\*'
    """
    return _PUNCTUATION.sub(r"\\\g<0>", " ".join(clean(text).split()))


def code_block(text: str) -> str:
    """Fence a text with more backticks than it holds in a row (CommonMark, section 4.5)."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{clean(text)}\n{fence}"


def clean(text: str) -> str:
    """Replace half characters, which no mail can carry."""
    return _HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)
