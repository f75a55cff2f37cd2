"""The flow ``queue-delayed-again``: gives delayed mail that nobody finished to a worker again.

Prefect keeps the queue of task workers in the memory of its API server, and regards a task run as
taken once a worker has received it. So a worker that is killed leaves what it had received, and an
API server that is started again leaves all that waited; both are still in Prefect's database.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import StateDetails, StateType, TaskRun
from prefect.client.schemas.sorting import TaskRunSort
from prefect.states import Scheduled

from prefect_smtp_relay.runtime.api import ask
from prefect_smtp_relay.runtime.log import run_logger
from prefect_smtp_relay.tasks import asend_an_email, asend_emails, send_an_email, send_emails

_PAGE = 200
_UNFINISHED = TaskRunFilter(
    state=TaskRunFilterState(
        type=TaskRunFilterStateType(
            any_=[StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING]
        )
    )
)


@flow(name="queue-delayed-again")
def queue_delayed_again(older_than_minutes: float = 30) -> int:
    """Queue delayed mail again that no task worker has finished.

    A mail with an `idempotency_key` is submitted once even if its worker was only slow. One
    without a key could be submitted a second time then, under the same Message-ID.

    Args:
        older_than_minutes: how long nothing has happened to the task run; longer than a batch
            takes, than the pauses between the tries of a mail, and than a task worker may be away.

    Returns:
        How many task runs were queued again.
    """
    before = datetime.now(UTC) - timedelta(minutes=older_than_minutes)
    count = ask(lambda client: sum(_queue(client, run) for run in _unfinished(client, before)))
    run_logger().info("Queued %d delayed mail task runs again.", count)
    return count


def _unfinished(client: SyncPrefectClient, before: datetime) -> list[TaskRun]:
    """The task runs of this package to which nothing has happened since."""
    keys = {task.task_key for task in (send_an_email, asend_an_email, send_emails, asend_emails)}
    return [
        run
        for run in _read_all(client)
        if run.task_key in keys and run.state is not None and run.state.timestamp < before
    ]


def _read_all(client: SyncPrefectClient) -> Iterator[TaskRun]:
    offset = 0
    while page := client.read_task_runs(
        task_run_filter=_UNFINISHED, sort=TaskRunSort.ID_DESC, limit=_PAGE, offset=offset
    ):
        yield from page
        offset += len(page)


def _queue(client: SyncPrefectClient, run: TaskRun) -> bool:
    """Queue a task run as `.delay` does, if that is where it comes from."""
    states = client.read_task_run_states(run.id)
    parameters = (state.state_details.task_parameters_id for state in states)
    parameters_id = next(filter(None, parameters), None)
    if parameters_id is None:
        return False
    details = StateDetails(deferred=True, task_run_id=run.id, task_parameters_id=parameters_id)
    client.set_task_run_state(run.id, Scheduled(state_details=details))
    return True
