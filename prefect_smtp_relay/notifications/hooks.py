"""State hooks that mail what became of a run: ``@flow(on_failure=[email_on_failure(to=...)])``.

A hook never changes the state of its run and never raises: a mail that fails is logged in the
run, and kept in the outbox as any other.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, Protocol

import anyio
import anyio.to_thread
from prefect.client.schemas.objects import State
from typing_extensions import Unpack

from prefect_smtp_relay.delivery.routing import RelayInput
from prefect_smtp_relay.mail.mailbox import AddressInput
from prefect_smtp_relay.notifications.reading import describe_end, describe_recovery
from prefect_smtp_relay.notifications.run_mail import HookOptions, RunMail

P = ParamSpec("P")


class RunHook(Protocol):
    """What Prefect calls when a flow run or a task run enters a state."""

    __name__: str

    def __call__(self, flow: Any, flow_run: Any, state: State[Any]) -> Awaitable[None] | None:
        """Mail about the run; the names are those by which Prefect's runner passes them."""


def email_on_failure(
    to: AddressInput,
    *,
    relay: RelayInput = None,
    subject: str | None = None,
    log_lines: int = 10,
    group_within: str | None = None,
    **options: Unpack[HookOptions],
) -> RunHook:
    """Make a hook that mails what became of a flow run or task run.

    The mail shows the error, links to the run and the flow in Prefect's UI where its address is
    known, what failed where and when, the traceback, the last log lines and the parameters. What
    looks like a secret is masked.

    Args:
        to: as in `send_an_email`.
        relay: ``smtp/NAME``, ``sendgrid/NAME``, ``outbox``, or a block; overrides the choice.
        subject: may contain ``$state``, ``$kind`` (flow or task), ``$name``, ``$run`` and
            ``$deployment``.
        log_lines: how many log entries to show, the newest: up to 200; 0 for none, and for no
            traceback.
        group_within: mail the first failure of a kind at once, count further ones for so long
            (``15m``, ``2h``; 0 for none), and tell of them in one mail; by default the setting.
        options: ``cc``, ``bcc``, ``from_``, ``reply_to``, ``importance``, ``thread`` and ``tone``,
            as in `send_an_email`; without ``thread``, the mails about a flow and deployment are
            one.

    Returns:
        For ``on_failure=[...]`` and its like, of flows and of tasks.

    Raises:
        EmailError: an argument is wrong; it names the argument and the fix.
    """
    return _hook(
        "email_on_failure",
        RunMail(
            to=to,
            options=options,
            relay=relay,
            subject=subject,
            log_lines=log_lines,
            describe=describe_end,
            group_within=group_within,
        ),
    )


def email_on_recovery(
    to: AddressInput,
    *,
    relay: RelayInput = None,
    subject: str | None = None,
    **options: Unpack[HookOptions],
) -> RunHook:
    """Make a hook that mails when a flow runs again: once, after its first success.

    Where the last run of the same flow and deployment had completed too, there is no mail. It is
    in the thread of the mails of `email_on_failure`.

    Args:
        to: as in `send_an_email`.
        relay: as in `email_on_failure`.
        subject: likewise; ``$state`` is Recovered.
        options: likewise.

    Returns:
        For ``on_completion=[...]`` of flows.

    Raises:
        EmailError: an argument is wrong; it names the argument and the fix.
    """
    return _hook(
        "email_on_recovery",
        RunMail(
            to=to,
            options=options,
            relay=relay,
            subject=subject,
            log_lines=0,
            describe=describe_recovery,
            group_within="0",
        ),
    )


def _hook(name: str, mail: RunMail) -> RunHook:
    mail.check()

    def hook(flow: Any, flow_run: Any, state: State[Any]) -> Awaitable[None] | None:
        tell = functools.partial(mail.tell, hook.__name__, flow, flow_run, state)
        if not _in_event_loop():
            return tell()
        return _in_worker_thread(tell)

    hook.__name__ = name
    return hook


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
