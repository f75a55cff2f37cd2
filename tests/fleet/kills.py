"""Kill one part of a fleet at random moments while a deployment sends, and count what arrives.

``python -m tests.fleet.kills --kills 20`` prints the table; ``--kinds``, ``--mails`` and ``--seed``
choose another one.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.fleet.disk_mail_server import Audit
from tests.fleet.fleet import Fleet, is_final
from tests.fleet.small_disk import IS_PERMITTED

_KILLS_A_RUN = 4
_RUN_SECONDS = 400
_HEADING = "kind         way    kills  mails   lost  same ID  other ID  scheduled by hand"
_LEFT_FINAL_SECONDS = 10
"""The time that Prefect has to run a crashed run again, before a person would."""

Strike = Callable[[Fleet, str, random.Random], None]


def _run(fleet: Fleet, run_id: str, rng: random.Random) -> None:
    del run_id, rng
    fleet.kill_run()


def _worker(fleet: Fleet, run_id: str, rng: random.Random) -> None:
    """The flow's process goes on, or dies with its worker: that is Prefect's business."""
    del run_id, rng
    fleet.worker.kill()
    fleet.worker.start()


def _host(fleet: Fleet, run_id: str, rng: random.Random) -> None:
    """Nobody is left to tell that the run has crashed, but for Prefect's automation on heartbeats.

    That waits 90 s; here its work is done at once.
    """
    del rng
    fleet.worker.kill()
    fleet.kill_run()
    fleet.worker.start()
    fleet.set_state(run_id, "CRASHED")


def _api(fleet: Fleet, run_id: str, rng: random.Random) -> None:
    del run_id
    fleet.api.kill()
    time.sleep(rng.uniform(0, 2))
    fleet.api.start()


def _mail_server(fleet: Fleet, run_id: str, rng: random.Random) -> None:
    del run_id
    fleet.mail_server.kill()
    time.sleep(rng.uniform(0, 2))
    fleet.mail_server.start()


def _disk(fleet: Fleet, run_id: str, rng: random.Random) -> None:
    """The disk of the spool is full for a while."""
    del run_id
    fleet.disk.fill()
    time.sleep(rng.uniform(0.5, 3))
    fleet.disk.free()


KINDS: dict[str, Strike] = {
    "run": _run,
    "worker": _worker,
    "host": _host,
    "api": _api,
    "mail-server": _mail_server,
    **({"disk": _disk} if IS_PERMITTED else {}),
}


@dataclass
class Tally:
    """What came of the kills of one kind.

    Args:
        kills: that struck.
        mails: that were to arrive once each.
        audit: of what arrived.
        stuck: runs that Prefect left as they were, and that were scheduled by hand.
    """

    kills: int = 0
    mails: int = 0
    audit: Audit = field(default_factory=Audit)
    stuck: int = 0

    def __str__(self) -> str:
        audit = self.audit
        counted = f"{audit.lost:6} {audit.same_id:8} {audit.other_id:9} {self.stuck:18}"
        return f"{self.kills:6} {self.mails:6} {counted}"


def strike(
    fleet: Fleet, kind: str, kills: int, rng: random.Random, *, mails: int, one_by_one: bool
) -> Tally:
    """Kill so many times, over as many runs as that needs; each run ends before the next."""
    tally = Tally()
    while tally.kills < kills:
        run_id = fleet.create_run(count=mails, one_by_one=one_by_one)
        _strike_run(fleet, run_id, kind, min(_KILLS_A_RUN, kills - tally.kills), rng, mails, tally)
        tally.mails += mails
        tally.audit += fleet.audit(run_id, mails)
    return tally


def _strike_run(
    fleet: Fleet,
    run_id: str,
    kind: str,
    kills: int,
    rng: random.Random,
    mails: int,
    tally: Tally,
) -> None:
    give_up_at = time.monotonic() + _RUN_SECONDS
    final_since = 0.0
    while (state := _state(fleet, run_id)) != "COMPLETED":
        now = time.monotonic()
        assert now < give_up_at, f"{run_id} is {state}; see {fleet.home}"
        if kills and fleet.is_under_way() and _moment_came(fleet, run_id, rng, mails):
            KINDS[kind](fleet, run_id, rng)
            kills -= 1
            tally.kills += 1
        final_since = (final_since or now) if is_final(state) else 0.0
        if final_since and now > final_since + _LEFT_FINAL_SECONDS:
            fleet.set_state(run_id, "SCHEDULED")
            tally.stuck += 1
        time.sleep(0.1)


def _state(fleet: Fleet, run_id: str) -> str:
    try:
        return fleet.state(run_id)
    except httpx.TransportError:
        return ""


def _moment_came(fleet: Fleet, run_id: str, rng: random.Random, mails: int) -> bool:
    """Wait for a random number of mails, and a little longer; False where the run ended before."""
    before = len({mail.to for mail in fleet.mails(run_id)})
    if before >= mails:
        return False
    wanted = rng.randrange(before, mails)
    give_up_at = time.monotonic() + 60
    while len({mail.to for mail in fleet.mails(run_id)}) < wanted:
        if time.monotonic() > give_up_at or not fleet.is_under_way():
            return False
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.03))
    return True


def main(arguments: list[str]) -> None:
    """Print a row for each kind and way of sending."""
    parser = argparse.ArgumentParser(prog="python -m tests.fleet.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--mails", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ways", nargs="+", choices=("one", "batch"), default=["one", "batch"])
    wanted = parser.parse_args(arguments)
    sys.stdout.write(f"{_HEADING}\n")
    for kind in wanted.kinds:
        with _fleet() as fleet:
            for way in wanted.ways:
                rng = random.Random(f"{wanted.seed}/{kind}/{way}")  # noqa: S311  # the same again
                one = way == "one"
                tally = strike(fleet, kind, wanted.kills, rng, mails=wanted.mails, one_by_one=one)
                sys.stdout.write(f"{kind:12} {way:5} {tally}\n")
                sys.stdout.flush()


@contextmanager
def _fleet() -> Iterator[Fleet]:
    with tempfile.TemporaryDirectory(prefix="fleet-") as home, Fleet(Path(home)).running() as fleet:
        yield fleet


if __name__ == "__main__":
    main(sys.argv[1:])
