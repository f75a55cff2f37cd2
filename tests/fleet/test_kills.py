"""A deployment that sends is killed at random moments, and Prefect runs it again."""

from __future__ import annotations

import random

import pytest

from tests.fleet.fleet import Fleet
from tests.fleet.kills import KINDS, strike

_MAILS = 60


# Each kind in one of the two ways: after a kill, half a minute passes until the keys are free.
@pytest.mark.parametrize(
    ("kind", "one_by_one"), [(kind, number % 2 == 1) for number, kind in enumerate(KINDS)]
)
def test_each_mail_arrives_once(fleet: Fleet, kind: str, one_by_one: bool) -> None:
    """With keys none is lost, and none comes under another Message-ID.

    Those come again that were being submitted: two for each connection and kill at most.
    """
    rng = random.Random(f"{kind}/{one_by_one}")  # noqa: S311  # the same moments in each run
    tally = strike(fleet, kind, 2, rng, mails=_MAILS, one_by_one=one_by_one)
    connections = 1 if one_by_one else 2
    assert (tally.audit.lost, tally.audit.other_id) == (0, 0)
    assert tally.audit.same_id <= 2 * connections * tally.kills
