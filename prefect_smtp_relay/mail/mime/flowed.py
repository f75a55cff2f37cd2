"""Text whose lines flow together again in the reader's program (RFC 3676, ``format=flowed``)."""

from __future__ import annotations

import re

_NEEDS_STUFFING = re.compile(r"^(?= |From )", re.MULTILINE)
_STUFFED = re.compile(r"^ ", re.MULTILINE)


def stuff(text: str) -> str:
    """Put a space before lines whose start would be changed, or taken for another (section 4.4).

    Lines of quotes begin with ``>`` and stay as they are: the space after it is theirs.

    Args:
        text: its lines of paragraphs end in a space; its line ends become LF.
    """
    return _NEEDS_STUFFING.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))


def unstuff(text: str) -> str:
    """Remove the spaces that `stuff` has put in."""
    return _STUFFED.sub("", text)
