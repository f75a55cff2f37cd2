"""The workflow action "Send an email", as a sync and as an async task."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import anyio.to_thread
from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff

from prefect_smtp_relay.artifacts import ArtifactInput, leave_artifact
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.handover import deliver_or_keep, telling_failures
from prefect_smtp_relay.mail.attachment import AttachmentInput
from prefect_smtp_relay.mail.mailbox import AddressInput, Mailbox
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.rendering import render
from prefect_smtp_relay.run_log import forward_transport_log
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.submission import RelayInput

P = ParamSpec("P")
R = TypeVar("R")

_RETRIES = 5
_FIRST_DELAY_SECONDS = 10
_JITTER = 0.3

forward_transport_log()


def _is_transient(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Retry what may pass later, and nothing else."""
    del task, task_run
    return isinstance(state.data, EmailError) and state.data.transient


def _mail_task(function: Callable[P, R]) -> Task[P, R]:
    """Make the task; results are never cached, or a second identical mail would be swallowed."""
    return Task(
        function,
        name="Send an email",
        retries=_RETRIES,
        retry_delay_seconds=exponential_backoff(_FIRST_DELAY_SECONDS),
        retry_jitter_factor=_JITTER,
        retry_condition_fn=_is_transient,
        cache_policy=NO_CACHE,
    )


def _in_worker_thread(function: Callable[P, R], name: str) -> Callable[P, Coroutine[Any, Any, R]]:
    """Make the async twin of a sync function, with its signature, off the event loop."""

    @functools.wraps(function)
    async def twin(*args: P.args, **kwargs: P.kwargs) -> R:
        return await anyio.to_thread.run_sync(functools.partial(function, *args, **kwargs))

    twin.__name__ = twin.__qualname__ = name
    return twin


def _send(
    to: AddressInput,
    subject: str,
    body: str,
    *,
    from_: str | Mailbox | None = None,
    cc: AddressInput = None,
    bcc: AddressInput = None,
    reply_to: AddressInput = None,
    html: str | None = None,
    text: str | None = None,
    attachments: Sequence[AttachmentInput] | Mapping[str, AttachmentInput] | None = None,
    inline_images: Mapping[str, AttachmentInput] | None = None,
    headers: Mapping[str, str] | None = None,
    relay: RelayInput = None,
    artifact: ArtifactInput = False,
) -> Receipt:
    """Send an email through the relay that the team connected.

    The connected SMTP block of the highest priority takes it, else a SendGrid block, else the
    outbox stores it. Transient failures are retried with growing pauses, with one Message-ID.

    Args:
        to: the recipients: a text with commas between them, or a list; names are welcome
            (``Ann <ann@example.org>``).
        subject: one line.
        body: Markdown; becomes the HTML part and the plain text part.
        from_: the sender; by default the relay's ``from_address``, then ``default_from``.
        cc: more recipients, shown to all.
        bcc: more recipients, shown to nobody.
        reply_to: where answers go.
        html: HTML in place of what the body renders to.
        text: plain text in place of what the body renders to.
        attachments: paths, ``(name, octets)`` pairs, open files, or a mapping of names to these.
        inline_images: content id to path or octets; ``![](cid:ID)`` shows it in the body.
        headers: further header fields.
        relay: ``smtp/NAME``, ``sendgrid/NAME``, ``outbox``, or a block; overrides the choice.
        artifact: leave a Markdown artifact in the run, recipients masked; ``with-recipients``
            shows them. Bcc recipients are only counted.

    Returns:
        The receipt: who took it, for whom, in which words.

    Raises:
        MessageError: the message is wrong as it stands; never retried.
        RelayConfigurationError: a block or setting is wrong; never retried.
        DeliveryError: the relay did not take it, after the last retry.
        RelayLookupFailed: the Prefect API could not be asked, after the last retry.
    """
    last_try = _is_last_try()
    with telling_failures(last_try=last_try):
        settings = current_settings()
        rendered = render(body, html=html, text=text)
        draft = compose(
            to,
            subject,
            text=rendered.text,
            html=rendered.html,
            from_=from_,
            cc=cc,
            bcc=bcc,
            reply_to=reply_to,
            attachments=attachments,
            inline_images=inline_images,
            headers=headers,
        )
        message, receipt = deliver_or_keep(draft, relay, settings, seed=_seed(), last_try=last_try)
    leave_artifact(message, receipt, artifact)
    return receipt


_asend = _in_worker_thread(_send, "asend_an_email")
_send.__name__ = _send.__qualname__ = "send_an_email"

send_an_email = _mail_task(_send)
asend_an_email = _mail_task(_asend)


def _own_context() -> TaskRunContext | None:
    """The context of this very task: called by ``.fn`` in another task, that one's is not ours."""
    context = TaskRunContext.get()
    return context if context is not None and context.task.fn in (_send, _asend) else None


def _seed() -> str:
    context = _own_context()
    return str(context.task_run.id) if context else ""


def _is_last_try() -> bool:
    """Whether Prefect will not retry what fails now."""
    context = _own_context()
    return context is None or context.task_run.run_count > context.task.retries
