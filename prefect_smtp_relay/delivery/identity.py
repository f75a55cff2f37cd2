"""What stays the same over the tries of one mail: the seed of its Message-ID, and its Date."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from prefect_smtp_relay.runtime.run import Run


@dataclass(frozen=True)
class Identity:
    """Names one mail.

    Args:
        seed: of the Message-ID; empty for a random one.
        run_id: the task run that it belongs to; empty where there is only one try.
        composed_at: the Date; None for now.
    """

    seed: str = ""
    run_id: str = ""
    composed_at: datetime | None = None

    @classmethod
    def of(cls, run: Run, number: int, key: str) -> Identity:
        """Name a mail: by its key, in whichever run, or by its run and its place there.

        Args:
            run: the task run.
            number: the mail's place among those of the run.
            key: the caller's ``idempotency_key``, which may be secret; empty for none.
        """
        by_place = f"{run.id}:{number}" if run.id else ""
        return cls(seed_of_key(key) if key else by_place, run.id, run.started_at)


def seed_of_key(key: str) -> str:
    """Derive a seed from an ``idempotency_key``, which nobody can read in it."""
    return f"idempotency-key-{hash_of_key(key)}"


def hash_of_key(key: str) -> str:
    """Name a key where others may read it."""
    return hashlib.sha256(key.encode()).hexdigest()
