"""Keys, and what is derived from them, without a server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from prefect_smtp_relay.delivery.identity import Identity, seed_of_key
from prefect_smtp_relay.delivery.keys import content_of
from prefect_smtp_relay.delivery.retry_state import NOTHING, RetryState, RetryStates
from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.mail.message import Draft, compose
from prefect_smtp_relay.runtime.run import Run


def draft(key: Any, **changes: Any) -> Draft:
    """A mail with this key."""
    fields = {"to": "ann@example.org", "subject": "s", "text": "t", "html": "h", **changes}
    return compose(**fields, idempotency_key=key)


@pytest.mark.parametrize("key", ["", "x", "INC-42: ärger/../\n", "k" * 255])
def test_any_text_of_255_characters_is_a_key(key: str) -> None:
    """The key is kept as it is, and empty, or None, is no key."""
    assert draft(key).idempotency_key == key
    assert draft(None).idempotency_key == ""


@pytest.mark.parametrize("key", [" ", "\t\n", "k" * 256, "\ud800", 42, b"key"])
def test_what_is_no_key_is_an_error_that_names_the_argument(key: object) -> None:
    """Spaces alone, a long text, half a character and what is not text are refused."""
    with pytest.raises(MessageError, match=r"^idempotency_key: "):
        draft(key)


def test_a_key_is_the_seed_whatever_the_run() -> None:
    """Two runs have one seed for a key; it hides the key, and the Date stays the run's."""
    now = datetime.now(UTC)
    first = Identity.of(Run("run-1", now), 0, "INC-42")
    second = Identity.of(Run(), 7, "INC-42")
    assert first.seed == second.seed != Identity.of(Run(), 0, "INC-43").seed
    assert "INC-42" not in first.seed
    assert first.composed_at == now


def test_without_a_key_a_mail_is_named_by_its_run_and_place() -> None:
    """Two mails of one run have two seeds, the same on every try; a mail of no run has none."""
    assert Identity.of(Run("run-1"), 1, "").seed == Identity.of(Run("run-1", tries=2), 1, "").seed
    assert Identity.of(Run("run-1"), 1, "").seed != Identity.of(Run("run-1"), 2, "").seed
    assert Identity.of(Run(), 0, "").seed == ""


def test_keys_with_a_colon_are_remembered_apart() -> None:
    """What one key's tries came to is not forgotten with those of another one."""
    states = RetryStates(max_runs=2)
    for key in ("a:1", "a:2", "a:3"):
        states.note(seed_of_key(key), RetryState(run_id=key))
    recalled = [states.recall(seed_of_key(key)) for key in ("a:1", "a:2", "a:3")]
    assert recalled == [NOTHING, RetryState(run_id="a:2"), RetryState(run_id="a:3")]


def test_a_mail_is_told_by_its_visible_recipients_and_subject() -> None:
    """Their order, the body and Bcc do not count; the key does, so that nobody can look it up."""
    one = draft("k", to="ann@example.org, bob@example.org")
    assert content_of(one) == content_of(
        draft("k", to="bob@example.org", cc="ann@example.org", bcc="eve@example.org", text="u")
    )
    others = [draft("k"), draft("l", to=one.to), draft("k", to=one.to, subject="other")]
    assert content_of(one) not in map(content_of, others)
