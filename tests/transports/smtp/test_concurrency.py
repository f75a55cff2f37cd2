"""Threads share the pool, over a server that fails at random."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from prefect_smtp_relay.exceptions import EmailError, OutcomeUnknown
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.message import Message
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.transports.smtp import Security, SmtpConfig, SmtpTransport

from .chaotic_server import ChaoticServer

THREADS, EACH = 8, 250


def check_the_books(
    results: dict[str, Receipt | EmailError], stored: Counter[str]
) -> dict[str, int]:
    """Compare what was reported of each Message-ID with what the server stored."""
    kinds: Counter[str] = Counter()
    for message_id, result in results.items():
        kinds[type(result).__name__] += 1
        if isinstance(result, Receipt):
            assert stored[message_id] == 1, f"{message_id} was accepted once"
        elif isinstance(result, OutcomeUnknown):
            assert stored[message_id] <= 1
        else:
            assert stored[message_id] == 0, f"{message_id} was not accepted: {result}"
    return kinds


@pytest.mark.parametrize("bulk", [False, True], ids=["one-by-one", "bulk"])
def test_every_message_is_stored_once_or_reported(
    make_message: Callable[..., Message], bulk: bool
) -> None:
    """Of 2,000 messages of 8 threads, each is stored exactly once or reported as not accepted."""
    results: dict[str, Receipt | EmailError] = {}

    def submit(thread: int) -> None:
        messages = [make_message(subject=f"{thread}/{number}") for number in range(EACH)]
        mails = [(message, Envelope.of(message)) for message in messages]
        batches = [mails] if bulk else [[mail] for mail in mails]
        for batch in batches:
            answers = transport.deliver_all(batch)
            for (message, _), answer in zip(batch, answers, strict=True):
                results[message.message_id] = answer

    with ChaoticServer(seed=4711) as server:
        config = SmtpConfig(server.host, server.port, Security.PLAIN_TEXT, timeout_seconds=20)
        transport = SmtpTransport(config)
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(submit, range(THREADS)))
    assert len(results) == THREADS * EACH
    kinds = check_the_books(results, server.stored)
    assert kinds["Receipt"] > 0.8 * len(results)
    assert kinds["OutcomeUnknown"] > 0, "the dice lost some replies"
    assert kinds["TransientFailure"] > 0
    assert sum(server.stored.values()) == len(server.stored)
