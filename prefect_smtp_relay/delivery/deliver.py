"""From drafts to outcomes: the one way of a mail, for one and for many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.compose.options import MailArguments
from prefect_smtp_relay.delivery import pacing
from prefect_smtp_relay.delivery.attempt import Attempt
from prefect_smtp_relay.delivery.interruption import keeping_the_rest
from prefect_smtp_relay.delivery.keys import Keys, content_of, note_repeat
from prefect_smtp_relay.delivery.outcome import Outcome
from prefect_smtp_relay.delivery.relay_choice import RelayChoice
from prefect_smtp_relay.delivery.routing import RelayInput
from prefect_smtp_relay.delivery.submit import submit
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.runtime.progress import Progress
from prefect_smtp_relay.runtime.run import Run
from prefect_smtp_relay.settings import SmtpRelaySettings


def deliver(
    drafts: Sequence[Draft],
    requested: RelayInput,
    run: Run,
    settings: SmtpRelaySettings,
    *,
    connections: int = 1,
    patience: float = pacing.MAX_WAIT_SECONDS,
    keeps: bool = True,
) -> list[Outcome]:
    """Deliver each mail that no earlier try completed; one mail is a batch of one.

    Recipients whom the relay refuses for now (4yz) are tried again alone, on the next try. What
    fails for good is stored in the outbox, but for what the caller or the operator forbids.

    Args:
        drafts: the checked messages.
        requested: the caller's ``relay=``.
        run: the try; it says whether a transient failure is tried again.
        settings: as of now.
        connections: how many at once.
        patience: the longest wait, in seconds, that a relay may have asked for in the try before,
            and for a turn where all workers together have limits.
        keeps: whether the outbox gets what fails for good.

    Returns:
        What became of each, in the order of the drafts.
    """
    choice = RelayChoice(requested, settings)
    attempts = [Attempt(draft, run, n, settings, keeps=keeps) for n, draft in enumerate(drafts)]
    first = _first_of_each_key(attempts)
    waiting = [each for each in dict.fromkeys(first) if each.outcome is None]
    connections = min(connections, len(waiting)) or 1
    with (
        _closing(waiting),
        Keys(settings, connections) as keys,
        keeping_the_rest(waiting),
        Progress(len(waiting)) as progress,
    ):
        _wait(waiting, choice, patience)
        submit(waiting, choice, connections, patience, progress, keys.claimed)
        for attempt in keys.busy:
            keys.wait(attempt)
            if attempt.outcome is None:
                submit([attempt], choice, 1, patience, progress)
    outcomes = [_outcome(attempt, leader) for attempt, leader in zip(attempts, first, strict=True)]
    _remember(attempts, outcomes)
    return outcomes


def deliver_once(
    arguments: MailArguments, requested: RelayInput, settings: SmtpRelaySettings
) -> Outcome:
    """Deliver one mail at once, without retries; a failed one is not stored.

    Args:
        arguments: of the mail.
        requested: the relay, or None for the one that takes the next mail.
        settings: as of now.

    Raises:
        MessageError: naming the argument and the fix.
    """
    mail = draft(arguments, settings)
    return deliver([mail], requested, Run(), settings, keeps=False)[0]


@contextmanager
def _closing(attempts: Sequence[Attempt]) -> Iterator[None]:
    """Give back keys, however the delivery ends."""
    try:
        yield
    finally:
        for attempt in attempts:
            attempt.close()


def _wait(attempts: Sequence[Attempt], choice: RelayChoice, patience: float) -> None:
    """Wait as the relay asked for, before a mail's key is claimed: others may wait for that."""
    states = [attempt.state for attempt in attempts if attempt.state.not_before]
    if not states:
        return
    try:
        relay = choice.get()
    except EmailError:
        return  # each mail meets the same error, and is told it there
    pacing.wait(states, relay.name, patience)


def _first_of_each_key(attempts: Sequence[Attempt]) -> list[Attempt]:
    """For each mail the first one with its key; without a key, the mail itself."""
    first: dict[str, Attempt] = {}
    return [
        first.setdefault(key, attempt) if (key := attempt.draft.idempotency_key) else attempt
        for attempt in attempts
    ]


def _outcome(attempt: Attempt, leader: Attempt) -> Outcome:
    """Repeat the outcome of the first message with the same key."""
    outcome = leader.outcome or Outcome()
    if attempt is leader:
        return outcome
    if outcome.receipt is None:
        return Outcome(error=outcome.error and outcome.error.copy())
    note_repeat(outcome.receipt, same=content_of(attempt.draft) == content_of(leader.draft))
    return Outcome(outcome.receipt)


def _remember(attempts: Sequence[Attempt], outcomes: Sequence[Outcome]) -> None:
    """Let the next try know what is at its end, where one mail of the batch is tried again."""
    if any(each.error and each.error.transient and not each.error.given_up for each in outcomes):
        for attempt in attempts:
            attempt.note_result()
