"""Put text from outside into Markdown, so that it is shown and never interpreted."""

from __future__ import annotations

import re
from typing import Literal

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_EMBEDDINGS, _END_OF_EMBEDDING = "\u202a\u202b\u202d\u202e", "\u202c"
_ISOLATES, _END_OF_ISOLATE = "\u2066\u2067\u2068", "\u2069"
_DIRECTIONS = re.compile(f"[{_EMBEDDINGS}{_END_OF_EMBEDDING}{_ISOLATES}{_END_OF_ISOLATE}]")
_IN_ADDRESS, _ROUND = r"[^\s<>\"'`()]", r"\([^\s<>\"'`()]*\)"
_CODE_OR_ADDRESS = re.compile(
    r"((?<!`)`[^`\n]+`(?!`)"
    rf"|https?://(?:{_IN_ADDRESS}|{_ROUND})*(?:(?![.,;:!?\]}}]){_IN_ADDRESS}|{_ROUND}))"
)
_SPACES = re.compile(r"^ +| {2,}")
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")


def escape_markdown(text: str) -> str:
    r"""Write a text as one line of Markdown that shows it as it is: no link, image or markup.

    Every ASCII punctuation character may follow a backslash (CommonMark, section 2.4).

    Args:
        text: for example an incident's title; its line ends become spaces.

    Example:
        >>> escape_markdown("[pay](https://evil.example) *now*")
        '\\[pay\\]\\(https\\:\\/\\/evil\\.example\\) \\*now\\*'
    """
    return _PUNCTUATION.sub(r"\\\g<0>", " ".join(end_directions(clean(text)).split()))


def quote_text(text: str) -> str:
    """Write a plain text as Markdown that shows it line by line.

    Args:
        text: such as a state's message: what is between backticks shows as code, http(s) addresses
            as links, spaces as spaces, and nothing else as markup.
    """
    return "\n".join(_quote_line(line) for line in clean(text).splitlines())


def _quote_line(line: str) -> str:
    line = line.expandtabs(4).rstrip()
    spaced = _SPACES.sub(lambda run: "\N{NO-BREAK SPACE}" * len(run[0]), line)
    pieces = _CODE_OR_ADDRESS.split(spaced)
    pieces[::2] = [_PUNCTUATION.sub(r"\\\g<0>", end_directions(words)) for words in pieces[::2]]
    pieces[1::2] = [piece if piece[0] == "`" else f"<{piece}>" for piece in pieces[1::2]]
    return f"{''.join(pieces)}  " if spaced else ""


def code_block(text: str, kind: Literal["text", "error"] = "text") -> str:
    """Fence a text with more backticks than it has in a row (CommonMark, section 4.5).

    Args:
        text: of any length.
        kind: what it shows as.
    """
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{kind}\n{clean(text)}\n{fence}"


def clean(text: str) -> str:
    """Replace half characters, which no mail can carry."""
    return _HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)


def end_directions(text: str) -> str:
    """End what turns the direction of writing: what follows a text must not be turned too.

    Args:
        text: may contain embeddings, overrides and isolates (Unicode Standard Annex 9, section 2).
    """
    ends: list[str] = []
    for sign in _DIRECTIONS.findall(text):
        if sign in _EMBEDDINGS:
            ends.append(_END_OF_EMBEDDING)
        elif sign in _ISOLATES:
            ends.append(_END_OF_ISOLATE)
        elif sign == _END_OF_ISOLATE and sign in ends:
            while ends.pop() != sign:
                pass
        elif ends and ends[-1] == sign:
            ends.pop()
    return text + "".join(reversed(ends))
