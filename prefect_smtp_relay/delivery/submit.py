"""Mails handed to a relay; where nothing of one was handed over, to the next relay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from prefect_smtp_relay.delivery.attempt import Attempt
from prefect_smtp_relay.delivery.relay_choice import RelayChoice
from prefect_smtp_relay.delivery.routing import Relay
from prefect_smtp_relay.delivery.slots import Slots
from prefect_smtp_relay.exceptions import EmailError, InternalError
from prefect_smtp_relay.runtime.limits import RelayLimits
from prefect_smtp_relay.runtime.progress import Progress
from prefect_smtp_relay.transports.bulk import Backlog, Mail, Result, deliver_all


def submit(
    attempts: Sequence[Attempt],
    choice: RelayChoice,
    connections: int,
    patience: float,
    progress: Progress,
    claimed: Callable[[Sequence[Attempt]], Iterable[Attempt]] = iter,
) -> None:
    """Hand mails to a relay, each at most once; each learns at once what became of it.

    Args:
        attempts: of mails that nobody has yet.
        choice: of the relay.
        connections: how many at once.
        patience: the longest wait for the limits of all workers, in seconds.
        progress: counts them.
        claimed: claims the keys of mails shortly before their turn, and leaves out those that are
            not to be submitted.
    """
    # Both at once: a mail that is done is not bound any more.
    bound = [attempt for attempt in attempts if attempt.is_bound]
    free = [attempt for attempt in attempts if not attempt.is_bound]
    if bound:
        alone = choice.without_failover()
        _Round(claimed(bound), len(bound), alone, progress).submit(connections, patience)
    waiting: Sequence[Attempt] = []
    if free:
        waiting = _Round(claimed(free), len(free), choice, progress).submit(connections, patience)
    while waiting:
        waiting = _Round(waiting, len(waiting), choice, progress).submit(connections, patience)


class _Round:
    """Mails for one relay.

    Args:
        attempts: of these mails, each drawn shortly before its turn.
        most: how many there are at most.
        choice: of the relay.
        progress: counts those that are done.
    """

    def __init__(
        self, attempts: Iterable[Attempt], most: int, choice: RelayChoice, progress: Progress
    ) -> None:
        self._progress = progress
        self._waiting = Backlog(attempts)
        self._most = most
        self._choice = choice
        self._begun: list[Attempt] = []
        self._not_handed_over: dict[int, EmailError] = {}

    def submit(self, connections: int, patience: float) -> list[Attempt]:
        """Hand them over.

        Returns:
            Those that are for the next relay.
        """
        if self._waiting.next is None:
            return []  # nobody needs a relay
        mails = self._prepare()
        try:
            relay = self._choice.get()
        except EmailError:
            list(mails)  # each is told what is wrong
            return []
        with self._foreseen():
            if relay.limits is None:
                self._hand_over(relay, mails, connections)
            else:
                self._hand_over_in_groups(relay, relay.limits, mails, connections, patience)
        return self._pass_on()

    def _prepare(self) -> Iterator[Mail]:
        while (attempt := self._waiting.take()) is not None:
            if mail := attempt.prepare(self._choice):
                self._begun.append(attempt)
                yield mail.message, mail.envelope

    def _hand_over(self, relay: Relay, mails: Iterator[Mail], connections: int) -> list[Result]:
        before = len(self._begun)
        most = min(connections, self._most)
        return deliver_all(
            relay.transport, mails, most, lambda n, result: self._report(before + n, result)
        )

    def _hand_over_in_groups(
        self,
        relay: Relay,
        limits: RelayLimits,
        mails: Iterator[Mail],
        connections: int,
        patience: float,
    ) -> None:
        """Hand over as many at a time as slots are taken for; a relay that is down ends it."""
        slots = Slots(relay, limits, patience)
        left = self._most
        failure: EmailError | None = None
        while self._waiting.next is not None and failure is None:
            size = min(slots.group(connections), left)
            try:
                with slots.taken(size, left, connections) as granted:
                    failure = _of_all(self._hand_over(relay, islice(mails, size), granted))
            except EmailError as error:  # no slots in time
                failure = error
            left -= size
        if failure is not None:
            list(mails)
            for number in self._open():
                self._report(number, failure.copy())

    def _report(self, number: int, result: Result) -> None:
        may_pass_on = self._choice.has_another and not self._begun[number].is_bound
        if may_pass_on and isinstance(result, EmailError) and result.nothing_handed_over:
            self._begun[number].is_begun = False
            self._not_handed_over[number] = result
        else:
            self._take(number, result)

    def _take(self, number: int, result: Result) -> None:
        self._begun[number].take(result)
        self._progress.note()

    def _pass_on(self) -> list[Attempt]:
        failed = sorted(self._not_handed_over.items())
        if failed and self._choice.fail_over(failed[0][1]):
            return [self._begun[number] for number, _ in failed]
        for number, error in failed:
            self._take(number, error)
        return []

    @contextmanager
    def _foreseen(self) -> Iterator[None]:
        """Let what breaks the contract of a transport be an error of each mail it was given."""
        try:
            yield
        except Exception as error:  # whatever a transport raises against its contract
            for number in self._open():
                self._take(number, InternalError.of(error))

    def _open(self) -> list[int]:
        """The mails that are begun, and of which nothing is known."""
        return [
            number
            for number, attempt in enumerate(self._begun)
            if attempt.outcome is None and number not in self._not_handed_over
        ]


def _of_all(results: Sequence[Result]) -> EmailError | None:
    """Return the error that mails which are not begun would meet, too."""
    errors = [each for each in results if isinstance(each, EmailError)]
    if errors and len(errors) == len(results) and all(e.nothing_handed_over for e in errors):
        return errors[0]
    return next((each for each in errors if each.retry_after is not None), None)
