"""The Prefect tasks "Send an email" and "Send many emails", sync and async."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from prefect_smtp_relay import action, bulk
from prefect_smtp_relay.exceptions import EmailError

P = ParamSpec("P")
R = TypeVar("R")

_RETRIES = 5
_FIRST_DELAY_SECONDS = 10
_JITTER = 0.3


def _is_transient(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Retry what may pass later, and nothing else."""
    del task, task_run
    return isinstance(state.data, EmailError) and state.data.transient


def _mail_task(function: Callable[P, R], name: str) -> Task[P, R]:
    """Make the task; results are never cached, or a second identical mail would be swallowed."""
    return Task(
        function,
        name=name,
        retries=_RETRIES,
        retry_delay_seconds=exponential_backoff(_FIRST_DELAY_SECONDS),
        retry_jitter_factor=_JITTER,
        retry_condition_fn=_is_transient,
        cache_policy=NO_CACHE,
    )


send_an_email = _mail_task(action.send_an_email, "Send an email")
asend_an_email = _mail_task(action.asend_an_email, "Send an email")
send_emails = _mail_task(bulk.send_emails, "Send many emails")
asend_emails = _mail_task(bulk.asend_emails, "Send many emails")
