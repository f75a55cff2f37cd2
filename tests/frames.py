"""What tools that print local variables would show of an error."""

from __future__ import annotations

import traceback
from collections.abc import Iterator


def shown_in_frames(error: BaseException | None) -> Iterator[str]:
    """Give the repr of each local variable of each frame, of causes and contexts too."""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "/tests/" not in frame.f_code.co_filename:
                yield from (f"{frame.f_code.co_qualname}: {v!r}" for v in frame.f_locals.values())
        error = error.__cause__ or error.__context__


def told(error: BaseException) -> str:
    """Give all that: the texts of an error, its traceback with its causes, and the variables."""
    trace = "".join(traceback.format_exception(error))
    return " ".join([str(error), repr(error), trace, *shown_in_frames(error)])
