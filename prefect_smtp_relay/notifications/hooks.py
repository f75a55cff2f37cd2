"""State hooks that mail what became of a run: ``@flow(on_failure=[email_on_failure(to=...)])``.

A hook never changes the state of its run and never raises: a mail that fails is logged in the
run, and kept in the outbox as any other.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol, TypedDict

import anyio
import anyio.to_thread
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging.loggers import flow_run_logger, task_run_logger
from typing_extensions import Unpack

from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.compose.options import MailArguments
from prefect_smtp_relay.delivery.routing import RelayInput, check_relay
from prefect_smtp_relay.delivery.short_retry import deliver_soon
from prefect_smtp_relay.exceptions import EmailError, MessageError
from prefect_smtp_relay.mail.headers.advisory import Importance
from prefect_smtp_relay.mail.headers.fields import check_text
from prefect_smtp_relay.mail.mailbox import AddressInput, Mailbox
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.notifications.reading import report_flow_run, report_task_run
from prefect_smtp_relay.notifications.report import RunReport
from prefect_smtp_relay.notifications.run_log import MAX_LOG_LINES
from prefect_smtp_relay.runtime.events import telling_failure
from prefect_smtp_relay.runtime.log import forward_transport_log, logging_to
from prefect_smtp_relay.settings import current_settings

P = ParamSpec("P")

forward_transport_log()


class RunHook(Protocol):
    """What Prefect calls when a flow run or a task run enters a state."""

    __name__: str

    def __call__(self, flow: Any, flow_run: Any, state: State[Any]) -> Awaitable[None] | None:
        """Mail about the run; the names are those by which Prefect's runner passes them."""


class HookOptions(TypedDict, total=False):
    """What the mails of a hook have in common; each as in `send_an_email`."""

    cc: AddressInput
    bcc: AddressInput
    from_: str | Mailbox | None
    reply_to: AddressInput
    thread: str | None
    importance: Importance


@dataclass(frozen=True, kw_only=True)
class _RunMail:
    """The mails of a hook."""

    to: AddressInput
    options: HookOptions
    relay: RelayInput
    subject: str | None
    log_lines: int

    def check(self) -> None:
        """Refuse wrong arguments before any run needs the hook.

        Raises:
            EmailError: naming the argument and the fix.
        """
        for name in self.options:
            if name not in HookOptions.__annotations__:
                names = ", ".join(HookOptions.__annotations__)
                raise MessageError("hooks do not have it", f"Use {names}.", field=name)
        if self.subject is not None and not isinstance(self.subject, str):
            raise MessageError("is not a text", "Write '[prod] $state: $name'.", field="subject")
        check_text(self.subject or "", "subject")
        if not isinstance(self.log_lines, int) or not 0 <= self.log_lines <= MAX_LOG_LINES:
            raise MessageError(
                f"{self.log_lines!r} is not a number from 0 to {MAX_LOG_LINES}",
                "Use 20, or 0 for none.",
                field="log_lines",
            )
        check_relay(self.relay)
        options: dict[str, Any] = {"thread": "", **self.options}
        options["thread"] = options["thread"] or ""
        compose(self.to, "subject", text="body", html="", **options)

    def tell(self, of: Any, run: Any, state: State[Any]) -> None:
        """Write and submit the mail about a run; whatever goes wrong is logged there."""
        is_task = isinstance(run, TaskRun)
        logger = task_run_logger(run, of) if is_task else flow_run_logger(run, of)
        report = report_task_run if is_task else report_flow_run
        with logging_to(logger):
            try:
                self._submit(report(of, run, state, self.log_lines))
            except EmailError as error:
                logger.error("The mail about this run was not accepted: %s", error)
            except Exception:  # the run's state is what matters, whatever went wrong here
                logger.exception("The mail about this run could not be written")

    def _submit(self, report: RunReport) -> None:
        with telling_failure():
            settings = current_settings()
            composed = draft(self._write(report), settings)
        deliver_soon(composed, self.relay, settings)

    def _write(self, report: RunReport) -> MailArguments:
        subject = report.subject if self.subject is None else report.format_subject(self.subject)
        return {
            **self.options,  # type: ignore[typeddict-item]  # all of them are mail arguments
            "to": self.to,
            "subject": subject,
            "body": report.body,
            "preheader": report.preheader,
            "thread": self.options.get("thread") or report.thread,
            "include_footer": False,
        }


def email_on_failure(
    to: AddressInput,
    *,
    relay: RelayInput = None,
    subject: str | None = None,
    log_lines: int = 20,
    **options: Unpack[HookOptions],
) -> RunHook:
    """Make a hook that mails what became of a flow run or task run.

    The mail shows the error, links to the run and the flow in Prefect's UI where its address is
    known, what failed where and when, the traceback, the last log lines and the parameters. What
    looks like a secret is masked.

    Args:
        to: as in `send_an_email`.
        relay: ``smtp/NAME``, ``sendgrid/NAME``, ``outbox``, or a block; overrides the choice.
        subject: may contain ``$state``, ``$kind`` (flow or task), ``$name`` and ``$run``.
        log_lines: how many log entries to show, the newest: up to 200; 0 for none, and for no
            traceback.
        options: ``cc``, ``bcc``, ``from_``, ``reply_to``, ``importance`` and ``thread``, as in
            `send_an_email`; without ``thread``, the mails about a flow and deployment are one.

    Returns:
        For ``on_failure=[...]`` and its like, of flows and of tasks.

    Raises:
        EmailError: an argument is wrong; it names the argument and the fix.
    """
    mail = _RunMail(to=to, options=options, relay=relay, subject=subject, log_lines=log_lines)
    mail.check()

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
