"""How far a long batch is: a line in the log, and a progress artifact of its run."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self, cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.context import FlowRunContext, TaskRunContext

from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.transports.waiting import clock

_EVERY_SECONDS = 5.0


class Progress:
    """Tells every few seconds how many mails are done; nothing of a batch that ends sooner.

    Args:
        total: the mails of the batch.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = self._told = 0
        self._next = clock().now() + _EVERY_SECONDS
        self._artifact: UUID | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._told and self._told != self._done:
            self._tell()

    def note(self) -> None:
        """Count a mail, in whichever thread."""
        with self._lock:
            self._done += 1
            if clock().now() >= self._next:
                self._tell()
                self._next = clock().now() + _EVERY_SECONDS

    def _tell(self) -> None:
        self._told = self._done
        text = f"{self._done} of {self._total} mails are done."
        run_logger().info(text)
        if not (TaskRunContext.get() or FlowRunContext.get()):
            return
        percent = 100 * self._done / self._total
        try:
            if self._artifact is None:
                created = create_progress_artifact(percent, description=text)
                self._artifact = cast("UUID", created)  # no event loop runs in this thread
            else:
                update_progress_artifact(self._artifact, percent, description=text)
        except Exception as error:  # whatever the API answers, the mails go on
            run_logger().warning("The progress artifact was not updated: %s", error)
