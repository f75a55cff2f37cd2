"""The Prefect tasks "Send an email" and "Send many emails", sync and async."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ParamSpec, TypeVar, Unpack

import anyio.to_thread
from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from prefect_smtp_relay.compose.batches import Mails, check_mails
from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.compose.options import MailOptions
from prefect_smtp_relay.compose.task_run_names import name_of_many, name_of_one
from prefect_smtp_relay.delivery.deliver import deliver
from prefect_smtp_relay.delivery.outcome import not_accepted
from prefect_smtp_relay.delivery.routing import RelayInput
from prefect_smtp_relay.exceptions import EmailError, MessageError
from prefect_smtp_relay.mail.mailbox import AddressInput
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.runtime.artifacts import ArtifactInput, leave_artifact
from prefect_smtp_relay.runtime.events import telling_failure
from prefect_smtp_relay.runtime.log import forward_transport_log, log_retry
from prefect_smtp_relay.runtime.run import Run
from prefect_smtp_relay.settings import SmtpRelaySettings, current_settings

P = ParamSpec("P")
R = TypeVar("R")

_RETRIES = 5
_FIRST_DELAY_SECONDS = 10
_JITTER = 0.3
_MAX_CONNECTIONS = 10

forward_transport_log()


def _is_worth_a_retry(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Retry what may pass later, and nothing else."""
    error = state.data
    if not isinstance(error, EmailError) or not error.transient or error.given_up:
        return False
    log_retry(task, task_run, error)
    return True


def _mail_task(
    name: str, run_name: Callable[[Mapping[str, Any]], str]
) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a task; results are never cached, or a second identical mail would be swallowed."""

    def make(function: Callable[P, R]) -> Task[P, R]:
        return Task(
            function,
            name=name,
            task_run_name=run_name,  # type: ignore[arg-type]  # a method is asked for that no function has
            retries=_RETRIES,
            retry_delay_seconds=exponential_backoff(_FIRST_DELAY_SECONDS),
            retry_jitter_factor=_JITTER,
            retry_condition_fn=_is_worth_a_retry,
            cache_policy=NO_CACHE,
        )

    return make


def _in_worker_thread(
    name: str,
) -> Callable[[Callable[P, R]], Callable[P, Coroutine[Any, Any, R]]]:
    """Make an async function of a sync one, with its signature, off the event loop."""

    def make(function: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
        @functools.wraps(function)
        async def in_worker_thread(*args: P.args, **kwargs: P.kwargs) -> R:
            return await anyio.to_thread.run_sync(functools.partial(function, *args, **kwargs))

        in_worker_thread.__name__ = in_worker_thread.__qualname__ = name
        return in_worker_thread

    return make


@_mail_task("Send an email", name_of_one)
def send_an_email(
    to: AddressInput,
    subject: str,
    body: str | None = None,
    *,
    relay: RelayInput = None,
    artifact: ArtifactInput = False,
    **options: Unpack[MailOptions],
) -> Receipt:
    """Send an email through the relay that the team connected.

    The connected SMTP block of the highest priority takes it, else a SendGrid block, else the
    outbox stores it. Transient failures are retried with growing pauses, with one Message-ID.

    Args:
        to: the recipients: a text with commas between them, or a list; names are welcome
            (``Ann <ann@example.org>``).
        subject: one line.
        body: Markdown; becomes the HTML part and the plain text part. It may be missing where
            ``html`` or ``text`` is given.
        relay: ``smtp/NAME``, ``sendgrid/NAME``, ``outbox``, or a block; overrides the choice.
        artifact: leave a Markdown artifact in the run, recipients masked; ``with-recipients``
            shows them. Bcc recipients are only counted.
        options: any of

            - ``context``: names to values; with it, every argument that is text, or has
              texts, is a Jinja template, in which values show as typed. Without it, braces are
              braces.
            - ``from_``: the sender; by default the relay's ``from_address``, then
              ``default_from``.
            - ``cc``: more recipients, shown to all. ``bcc``: more, shown to nobody.
            - ``reply_to``: where answers go. ``reverse_path``: where bounces go.
            - ``html``, ``text``: HTML or plain text in place of what the body renders to. With
              ``text`` alone, the mail is plain text alone.
            - ``attachments``: paths, ``(name, bytes)`` pairs, open files, or a mapping of names
              to these.
            - ``inline_images``: content id to path or bytes; ``![](cid:ID)`` shows it in the
              body.
            - ``headers``: further header fields.
            - ``thread``: a key such as ``INC-42``: mails of one key and sender domain show in
              one thread. ``starts_thread``: this is its first mail, which the others answer.
            - ``idempotency_key``: names this one mail, 1 to 255 characters: while the spool has
              its receipt, further calls with the key, from any run on any host that shares the
              spool, return that and submit nothing. ``run``: once in this flow run, however often
              Prefect runs it again.
            - ``list_unsubscribe``: an https URL for one click, an address, or a list of both.
            - ``importance``: ``high``, ``normal`` or ``low``.
            - ``preheader``: what inboxes show after the subject, in place of the body's first
              words.
            - ``tone``: ``critical``, ``warning``, ``good`` or ``info``: the colour of a bar above
              the body. ``labels``: what the mail is in a word or two, above its heading, such as
              ``["SEV1", "Resolved"]``; a mapping gives each a tone of its own.
            - ``include_header``: show the logo, or the name, above the body.
            - ``include_footer``: say below the body which flow run sent it.
            - ``custom_logo_url``: the web address of a logo; by default the setting
              ``logo_url``.
            - ``categories``: labels for SendGrid's statistics, beside those of the block, up to
              ten in all: a list, or a text with commas between them. SMTP ignores them.

    Returns:
        The receipt: who took it, for whom, in which words.

    Raises:
        MessageError: the message is wrong as it is; never retried.
        RelayConfigurationError: a block or setting is wrong; never retried.
        DeliveryError: the relay did not take it, after the last retry.
        RelayLookupFailed: the Prefect API could not be asked, after the last retry.
        ReceiptLookupFailed: the spool could not be asked about the key, likewise.
        ReceiptDamaged: the mail of this key was submitted, and its receipt is unreadable.
    """
    with telling_failure():
        settings = current_settings()
        drafted = draft({"to": to, "subject": subject, "body": body, **options}, settings)
    outcome = deliver([drafted], relay, Run.of_task_in(__name__), settings)[0]
    receipt = outcome.get()
    if outcome.message is not None:
        leave_artifact(outcome.message, receipt, artifact)
    return receipt


asend_an_email = _mail_task("Send an email", name_of_one)(
    _in_worker_thread("asend_an_email")(send_an_email.fn)
)


@_mail_task("Send many emails", name_of_many)
def send_emails(mails: Mails, *, relay: RelayInput = None, connections: int = 2) -> list[Receipt]:
    """Send many emails in one task, over a few connections that are kept.

    Every mail is checked before the first is submitted. A retry submits only what was not
    accepted yet. Thousands are spread by `in_batches`.

    Args:
        mails: each the arguments of `send_an_email` by their names, but for ``relay`` and
            ``artifact``.
        relay: as in `send_an_email`, for all of them.
        connections: how many at once, 1 to 10; many servers permit only a few.

    Returns:
        The receipts, in the order of the mails.

    Raises:
        MessageError: one of them, or `connections`, is wrong; the text names its place.
        MailsNotAccepted: with the receipts and the errors, after the last retry.
    """
    with telling_failure():
        check_mails(mails)
        _check_connections(connections)
        settings = current_settings()
        drafts = [_draft_one_of_many(n, mail, settings) for n, mail in enumerate(mails)]
    run = Run.of_task_in(__name__)
    outcomes = deliver(drafts, relay, run, settings, connections=connections)
    if error := not_accepted(outcomes):
        raise error
    return [outcome.get() for outcome in outcomes]


asend_emails = _mail_task("Send many emails", name_of_many)(
    _in_worker_thread("asend_emails")(send_emails.fn)
)


def _check_connections(connections: int) -> None:
    if not isinstance(connections, int) or not 1 <= connections <= _MAX_CONNECTIONS:
        raise MessageError(
            f"expected a whole number from 1 to {_MAX_CONNECTIONS}, got {connections!r}.",
            field="connections",
        )


def _draft_one_of_many(number: int, mail: Mapping[str, Any], settings: SmtpRelaySettings) -> Draft:
    place = f"mails[{number}]"
    if not isinstance(mail, Mapping):
        raise MessageError(
            f"expected a mapping of arguments, got {type(mail).__name__}.", field=place
        )
    try:
        return draft(mail, settings, number=number)
    except MessageError as error:
        raise error.within(place) from error
