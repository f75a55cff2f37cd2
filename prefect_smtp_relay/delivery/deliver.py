"""From drafts to outcomes: the one way of a mail, for one and for many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prefect_smtp_relay.delivery import pacing
from prefect_smtp_relay.delivery.attempt import Attempt
from prefect_smtp_relay.delivery.identity import Identity
from prefect_smtp_relay.delivery.keys import MAX_AT_ONCE, claiming, content_of, note_repeat
from prefect_smtp_relay.delivery.outcome import Outcome
from prefect_smtp_relay.delivery.routing import RelayChoice, RelayInput
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.runtime.log import noting_interruption
from prefect_smtp_relay.runtime.run import Run
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.transports.bulk import deliver_all

_INTERRUPTED = (
    "Interrupted while %s was submitted: it may have been accepted. Look for its Message-ID in the"
    " relay's log before you send it again."
)


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
        patience: the longest wait, in seconds, that a relay may have asked for in the try before.
        keeps: whether the outbox gets what fails for good.

    Returns:
        What became of each, in the order of the drafts.
    """
    attempts = [
        Attempt(draft, Identity.of(run, n, draft.idempotency_key), run, settings, keeps=keeps)
        for n, draft in enumerate(drafts)
    ]
    first = _first_of_each_key(attempts)
    choice = RelayChoice(requested, settings)
    _deliver_once(list(dict.fromkeys(first)), choice, connections, patience)
    outcomes = [_outcome(attempt, leader) for attempt, leader in zip(attempts, first, strict=True)]
    _remember(attempts, outcomes)
    return outcomes


def _deliver_once(
    attempts: Sequence[Attempt], choice: RelayChoice, connections: int, patience: float
) -> None:
    """Deliver mails of which no two have the same key."""
    for attempt in attempts:
        attempt.resume()
    waiting = [attempt for attempt in attempts if attempt.outcome is None]
    _wait(waiting, choice, patience)
    for group in _groups(waiting):
        with claiming([attempt.draft for attempt in group]) as claims:
            for attempt, claim in zip(group, claims, strict=True):
                with attempt.failing():
                    attempt.claim(claim)
            _submit([each for each in group if each.outcome is None], choice, connections)


def _submit(attempts: Sequence[Attempt], choice: RelayChoice, connections: int) -> None:
    """Hand mails to the relay, each at most once."""
    for attempt in attempts:
        with attempt.failing():
            attempt.prepare(choice)
    ready = [attempt for attempt in attempts if attempt.outcome is None]
    if not ready:
        return
    mails = [(attempt.message, attempt.envelope) for attempt in ready]
    with noting_interruption(_INTERRUPTED, _name(ready)):
        results = deliver_all(choice.get().transport, mails, connections)
    for attempt, result in zip(ready, results, strict=True):
        attempt.take(result)


def _wait(attempts: Sequence[Attempt], choice: RelayChoice, patience: float) -> None:
    """Wait as the relay asked for, before a mail's key is claimed: others may wait for that."""
    states = [state for each in attempts if (state := each.state).not_before]
    if not states:
        return
    try:
        relay = choice.get()
    except EmailError:
        return  # each mail meets the same error, and is told it there
    pacing.wait(states, relay.name, patience)


def _groups(attempts: Sequence[Attempt]) -> Iterator[list[Attempt]]:
    """The mails in their order, in parts of as many keys as may be claimed at once."""
    group: list[Attempt] = []
    keys = 0
    for attempt in attempts:
        keys += bool(attempt.draft.idempotency_key)
        if keys > MAX_AT_ONCE:
            yield group
            group, keys = [], 1
        group.append(attempt)
    if group:
        yield group


def _first_of_each_key(attempts: Sequence[Attempt]) -> list[Attempt]:
    """For each mail the first one with its key; without a key, the mail itself."""
    first: dict[str, Attempt] = {}
    return [
        first.setdefault(attempt.draft.idempotency_key, attempt)
        if attempt.draft.idempotency_key
        else attempt
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
    errors = [outcome.error for outcome in outcomes if outcome.error]
    if any(error.transient and not error.given_up for error in errors):
        for attempt in attempts:
            attempt.note_result()
        return
    for attempt in attempts:
        if attempt.outcome and attempt.outcome.receipt:
            # What failed has left nothing; what is noted under its key is another call's.
            attempt.forget()


def _name(attempts: Sequence[Attempt]) -> str:
    first = attempts[0].message.message_id
    return first if len(attempts) == 1 else f"each of {len(attempts)} mails, the first {first},"
