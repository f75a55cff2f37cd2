"""The mails of a hook: checked when the hook is made, written and submitted when a run ends."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from prefect.client.schemas.objects import State, TaskRun
from prefect.logging.loggers import flow_run_logger, task_run_logger

from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.compose.options import MailArguments
from prefect_smtp_relay.compose.origin import Origin
from prefect_smtp_relay.delivery.routing import RelayInput, check_relay
from prefect_smtp_relay.delivery.short_retry import deliver_soon
from prefect_smtp_relay.exceptions import EmailError, InvalidField, MessageError
from prefect_smtp_relay.mail.headers.advisory import Importance
from prefect_smtp_relay.mail.headers.fields import check_text
from prefect_smtp_relay.mail.mailbox import AddressInput, Mailbox
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.notifications.grouping.counting import First, count_unless_first
from prefect_smtp_relay.notifications.grouping.kind import subject_key
from prefect_smtp_relay.notifications.grouping.recipients import Recipients
from prefect_smtp_relay.notifications.grouping.sending import send_waiting
from prefect_smtp_relay.notifications.grouping.sources import failed_run, subject_of
from prefect_smtp_relay.notifications.own_mail import one_line
from prefect_smtp_relay.notifications.recovery import Recovery
from prefect_smtp_relay.notifications.report import RunReport
from prefect_smtp_relay.notifications.run_log import MAX_LOG_LINES
from prefect_smtp_relay.rendering.labels import Tone, read_tone
from prefect_smtp_relay.rendering.quoting import escape_markdown
from prefect_smtp_relay.runtime.events import telling_failure
from prefect_smtp_relay.runtime.log import forward_transport_log, logging_to
from prefect_smtp_relay.settings import current_settings
from prefect_smtp_relay.settings.values import read_duration

Describe = Callable[[Any, Any, State[Any], int], RunReport | None]
"""Gets what Prefect gives a hook, and how many log entries to show; None for no mail."""

forward_transport_log()


class HookOptions(TypedDict, total=False):
    """What the mails of a hook have in common; each as in `send_an_email`."""

    cc: AddressInput
    bcc: AddressInput
    from_: str | Mailbox | None
    reply_to: AddressInput
    thread: str | None
    importance: Importance
    tone: Tone | Literal[""] | None


@dataclass(frozen=True, kw_only=True)
class RunMail:
    """The mails of a hook.

    Args:
        to: the recipients.
        options: what else its mails have in common.
        relay: the caller's ``relay=``.
        subject: the caller's pattern, or None.
        log_lines: how many log entries to show.
        describe: reads what a mail says of a run.
        group_within: how long further failures are counted, for example ``15m``; None as the
            setting says.
    """

    to: AddressInput
    options: HookOptions
    relay: RelayInput
    subject: str | None
    log_lines: int
    describe: Describe
    group_within: str | None = None

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
                "Use 10, or 0 for none.",
                field="log_lines",
            )
        check_relay(self.relay)
        options: dict[str, Any] = {**self.options}
        read_tone(options.pop("tone", ""))
        compose(self.to, "subject", text="body", html="", **options)
        self._check_group_within()

    def _check_group_within(self) -> None:
        try:
            within = read_duration(self.group_within or "")
        except InvalidField as error:
            raise MessageError(error.problem, error.fix, field="group_within") from None
        if within and Recipients.of(self.to, self.options, self.relay) is None:
            raise MessageError(
                "needs a relay that a later mail can name",
                "Save the block, and pass relay='smtp/NAME'.",
                field="group_within",
            )

    def tell(self, hook: str, of: Any, run: Any, state: State[Any]) -> None:
        """Write and submit the mail about a run; whatever goes wrong is logged there.

        Args:
            hook: its name.
            of, run, state: what Prefect gives it.
        """
        is_task = isinstance(run, TaskRun)
        logger = task_run_logger(run, of) if is_task else flow_run_logger(run, of)
        with logging_to(logger):
            try:
                self._tell(hook, of, run, state)
            except EmailError as error:
                logger.error("The mail about this run was not accepted: %s", error)
            except Exception:  # the run's state is what matters, whatever went wrong here
                logger.exception("The mail about this run could not be written")

    def _tell(self, hook: str, of: Any, run: Any, state: State[Any]) -> None:
        first = self._count(of, run, state)
        report = self.describe(of, run, state, self.log_lines) if first else None
        if first is None or report is None:
            return
        mail = self._write(report)
        with first.telling(mail["subject"], mail["thread"] or ""):
            self._submit(mail, _origin(report, hook))
        if isinstance(report, Recovery):
            send_waiting(subject_key(subject_of(of, run)), closing=True)

    def _count(self, of: Any, run: Any, state: State[Any]) -> First | None:
        """Decide whether this failure is mailed at once; None where it is only counted."""
        setting = current_settings().group_within
        within = read_duration(setting if self.group_within is None else self.group_within)
        recipients = Recipients.of(self.to, self.options, self.relay) if within else None
        if recipients is None:
            return First()
        describe = functools.partial(failed_run, of, run, state, recipients.reference, within)
        return count_unless_first(describe, recipients)

    def _submit(self, mail: MailArguments, origin: Origin) -> None:
        with telling_failure():
            settings = current_settings()
            composed = draft(mail, settings, origin)
        deliver_soon(composed, self.relay, settings)

    def _write(self, report: RunReport) -> MailArguments:
        tone = self.options.get("tone") or report.tone
        mail: MailArguments = {
            **report.mail,
            **self.options,
            "to": self.to,
            "thread": self.options.get("thread") or report.thread,
            "tone": tone,
            "labels": {text: own and tone for text, own in report.labels.items()},
        }
        if self.subject is not None:
            mail["subject"] = report.format_subject(self.subject)
        if key := mail.get("idempotency_key"):
            mail["idempotency_key"] = f"{key} {self._fingerprint()}"
        return mail

    def _fingerprint(self) -> str:
        """Tell the hooks of a flow apart: each has recipients of its own."""
        return hashlib.sha256(repr((self.to, self.options)).encode()).hexdigest()


def _origin(report: RunReport, hook: str) -> Origin:
    name = escape_markdown(one_line(report.name))
    who = f"the hook **{escape_markdown(hook)}** of the {report.kind} **{name}**"
    return Origin(who, *map(one_line, (report.flow, report.deployment, report.state)))
