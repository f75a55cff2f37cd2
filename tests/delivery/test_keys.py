"""Keys, and what is derived from them, without a server."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filelock
import pytest
from prefect.settings import (
    PREFECT_HOME,
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_SERVER_ALLOW_EPHEMERAL_MODE,
    temporary_settings,
)

from prefect_smtp_relay.delivery.identity import Identity, seed_of_key
from prefect_smtp_relay.delivery.keys import claiming, content_of
from prefect_smtp_relay.delivery.retry_state import NOTHING, RetryState, RetryStates
from prefect_smtp_relay.exceptions import MessageError, ReceiptLookupFailed
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


@pytest.fixture
def home(tmp_path: Path) -> Any:
    """A home without a Prefect server."""
    settings = {
        PREFECT_HOME: tmp_path,
        PREFECT_LOCAL_STORAGE_PATH: tmp_path / "results",
        PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: False,
    }
    with temporary_settings(settings):
        yield tmp_path


def test_without_a_key_nothing_is_locked_or_read(home: Path) -> None:
    """A mail without a key leaves no trace."""
    with claiming([draft("")]) as [claim]:
        assert claim.recall() is None
    assert not list(home.iterdir())


def test_a_key_that_is_held_for_too_long_is_an_error(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait ends with a transient error that names the lock; afterwards the key is free."""
    monkeypatch.setattr("prefect_smtp_relay.delivery.keys._MAX_WAIT_SECONDS", 0.1)
    with claiming([draft("k")]):
        (lock,) = home.glob("smtp-relay/locks/*.lock")
        with claiming([draft("k")]) as [other]:
            with pytest.raises(ReceiptLookupFailed, match=f"mail under {lock}") as caught:
                other.recall()
            assert caught.value.transient
    with claiming([draft("k")]) as [claim]:
        assert claim.recall() is None


def test_an_error_in_the_middle_frees_the_key(home: Path) -> None:
    """Whoever comes next does not wait."""
    with pytest.raises(RuntimeError), claiming([draft("k")]):
        raise RuntimeError
    (lock,) = home.glob("smtp-relay/locks/*.lock")
    with filelock.FileLock(lock, timeout=0):
        pass


def test_a_home_that_cannot_be_written_is_an_error_that_names_it(home: Path) -> None:
    """Without a lock nothing is submitted."""
    home.joinpath("smtp-relay").write_text("a file where the folder should be", encoding="utf-8")
    with claiming([draft("k")]) as [claim], pytest.raises(ReceiptLookupFailed, match=str(home)):
        claim.recall()
