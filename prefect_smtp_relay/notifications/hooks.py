"""State hooks that mail what became of a run: ``@flow(on_failure=[email_on_failure(to=...)])``.

A hook never changes the state of its run and never raises: a mail that fails is logged in the
run, and kept in the outbox as any other.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol

import anyio
import anyio.to_thread
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import SyncClientContext
from prefect.logging.loggers import flow_run_logger, task_run_logger

from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.compose.options import MailArguments
from prefect_smtp_relay.delivery.routing import RelayInput
from prefect_smtp_relay.delivery.short_retry import deliver_soon
from prefect_smtp_relay.exceptions import EmailError, NoRecipients
from prefect_smtp_relay.mail.mailbox import AddressInput, Mailbox
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.notifications.reading import report_flow_run, report_task_run
from prefect_smtp_relay.notifications.report import RunReport
from prefect_smtp_relay.runtime.events import telling_failure
from prefect_smtp_relay.runtime.log import forward_transport_log, logging_to
from prefect_smtp_relay.settings import SmtpRelaySettings, current_settings

P = ParamSpec("P")

forward_transport_log()


class RunHook(Protocol):
    """What Prefect calls when a flow run or a task run enters a state."""

    __name__: str

    def __call__(self, flow: Any, flow_run: Any, state: State[Any]) -> Awaitable[None] | None:
        """Mail about the run; the names are those by which Prefect's runner passes them."""


@dataclass(frozen=True, kw_only=True)
class _RunMail:
    """What each mail of a hook has in common."""

    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    bcc: tuple[Mailbox, ...]
    from_: str | Mailbox | None
    relay: RelayInput
    subject: str | None
    log_lines: int

    def tell(self, of: Any, run: Any, state: State[Any]) -> None:
        """Write and submit the mail about a run; whatever goes wrong is logged there."""
        is_task = isinstance(run, TaskRun)
        logger = task_run_logger(run, of) if is_task else flow_run_logger(run, of)
        report = report_task_run if is_task else report_flow_run
        with logging_to(logger):
            try:
                with SyncClientContext.get_or_create():
                    self._submit(report(of, run, state, self.log_lines))
            except EmailError as error:
                logger.error("The mail about this run was not accepted: %s", error)
            except Exception:  # the run's state is what matters, whatever went wrong here
                logger.exception("The mail about this run could not be written")

    def _submit(self, report: RunReport) -> None:
        with telling_failure():
            settings = current_settings()
            composed = self._compose(settings, report)
        deliver_soon(composed, self.relay, settings)

    def _compose(self, settings: SmtpRelaySettings, report: RunReport) -> Draft:
        subject = report.subject if self.subject is None else report.format_subject(self.subject)
        mail: MailArguments = {
            "to": self.to,
            "cc": self.cc,
            "bcc": self.bcc,
            "from_": self.from_,
            "subject": subject,
            "body": report.body,
            "include_footer": False,
        }
        return draft(mail, settings)


def email_on_failure(
    to: AddressInput,
    *,
    cc: AddressInput = None,
    bcc: AddressInput = None,
    from_: str | Mailbox | None = None,
    relay: RelayInput = None,
    subject: str | None = None,
    log_lines: int = 20,
) -> RunHook:
    """Make a hook that mails what became of a flow run or task run.

    The mail shows flow or task, run, state, message, parameters (what looks like a secret is
    masked), the last log lines, and a link to Prefect's UI where its address is known.

    Args:
        to, cc, bcc: as in `send_an_email`.
        from_: the sender; by default the relay's ``from_address``, then ``default_from``.
        relay: ``smtp/NAME``, ``sendgrid/NAME``, ``outbox``, or a block; overrides the choice.
        subject: may hold ``$state``, ``$kind`` (flow or task), ``$name`` and ``$run``.
        log_lines: how many log entries to show, the newest; 0 for none, 200 at the most.

    Returns:
        For ``on_failure=[...]`` and its like, of flows and of tasks.

    Raises:
        InvalidMailbox, NoRecipients: an address is none, or there is none.
    """
    mail = _RunMail(
        to=Mailbox.parse_list(to, "to"),
        cc=Mailbox.parse_list(cc, "cc"),
        bcc=Mailbox.parse_list(bcc, "bcc"),
        from_=from_,
        relay=relay,
        subject=subject,
        log_lines=log_lines,
    )
    if not mail.to + mail.cc + mail.bcc:
        raise NoRecipients("to: nobody to send to; name an address in to, cc or bcc.")

    def email_on_failure(flow: Any, flow_run: Any, state: State[Any]) -> Awaitable[None] | None:
        tell = functools.partial(mail.tell, flow, flow_run, state)
        if not _in_event_loop():
            return tell()
        return _in_worker_thread(tell)

    return email_on_failure


def _called(name: str, occasion: str) -> Callable[[Callable[P, RunHook]], Callable[P, RunHook]]:
    """Give the same hook the name that Prefect logs when it runs."""

    def renamed(factory: Callable[P, RunHook]) -> Callable[P, RunHook]:
        @functools.wraps(factory)
        def make(*args: P.args, **kwargs: P.kwargs) -> RunHook:
            hook = factory(*args, **kwargs)
            hook.__name__ = name
            return hook

        make.__name__ = make.__qualname__ = name
        make.__doc__ = f"For ``{occasion}=[...]``; otherwise as `email_on_failure`."
        return make

    return renamed


email_on_crash = _called("email_on_crash", "on_crashed")(email_on_failure)
email_on_cancellation = _called("email_on_cancellation", "on_cancellation")(email_on_failure)
email_on_completion = _called("email_on_completion", "on_completion")(email_on_failure)


def _in_event_loop() -> bool:
    """Whether Prefect's async engine calls: it awaits what the hook returns."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _in_worker_thread(function: Callable[[], None]) -> None:
    """Off the event loop, also where a crash has cancelled what runs in it."""
    with anyio.CancelScope(shield=True):
        await anyio.to_thread.run_sync(function)
