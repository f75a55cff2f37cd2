"""The indentation that a text has because of the Python code around it."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any

_CLOSING_QUOTES = re.compile(r"\n[ \t]+\Z")


def dedent(body: Any) -> Any:
    """Take away the indentation that all lines of a triple-quoted text have.

    A first line right after the opening quotes has none; that it is such a text shows the
    indentation of the closing quotes.

    Args:
        body: anything but a text is given back, and refused where every body is checked.
    """
    if not isinstance(body, str):
        return body
    if body[:1] in " \t\r\n":
        return textwrap.dedent(body.replace("\r\n", "\n"))
    return inspect.cleandoc(body) if _CLOSING_QUOTES.search(body) else body
