"""Leases: who is alive, by the store's clock."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from prefect_smtp_relay.exceptions import RelayConfigurationError, TransientFailure
from prefect_smtp_relay.spool import Spool, open_spool
from prefect_smtp_relay.spool.lease import LEASE_SECONDS, Lease
from prefect_smtp_relay.spool.local import LocalStore

_FORK = """
import os, sys
from prefect_smtp_relay.spool import open_spool

spool = open_spool(sys.argv[1])
with spool.lease.kept() as lease_id:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with spool.lease.kept() as own:
            os.write(writing, f"{len(spool.list('leases'))} {own != lease_id}".encode())
        spool.lease.close()
        os._exit(0)
    os.waitpid(child, 0)
    print(os.read(reading, 100).decode(), len(spool.list("leases")))
"""


def _age(lease_file: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(lease_file, (then, then))


def test_a_process_has_one_lease_for_all_its_claims(spool: Spool) -> None:
    """However many there are, there is one object to renew."""
    with spool.lease.kept() as first, spool.lease.kept() as second:
        assert first == second
        assert [entry.key for entry in spool.list("leases")] == [f"leases/{first}"]
        assert not spool.lease.is_dead(first)
    with spool.lease.kept() as third:
        assert third == first
    spool.lease.close()
    assert spool.list("leases") == []


def test_the_lease_of_another_process_is_alive_until_it_is_given_back(spool: Spool) -> None:
    """A claim names it; whoever meets the claim asks."""
    other = Lease(spool)
    with other.kept() as lease_id:
        assert not spool.lease.is_dead(lease_id)
        other.close()
        assert spool.lease.is_dead(lease_id)
    spool.lease.close()


def test_a_lease_that_nobody_renews_ends(tmp_path: Path) -> None:
    """Its process was killed: by the store's clock, the last renewal is too long ago."""
    spool = open_spool(str(tmp_path))
    spool.create("leases/other", b"")
    _age(tmp_path / "leases" / "other", LEASE_SECONDS - 5)
    assert not spool.lease.is_dead("other")
    _age(tmp_path / "leases" / "other", LEASE_SECONDS + 5)
    assert spool.lease.is_dead("other")
    spool.lease.close()


def test_a_lease_is_renewed_while_it_is_kept(tmp_path: Path) -> None:
    """One thread does it; it ends with the last claim."""
    store = LocalStore(tmp_path)
    lease = Lease(store, seconds=0.3)
    with lease.kept() as lease_id:
        file = tmp_path / "leases" / lease_id
        _age(file, 100)
        while time.time() - file.stat().st_mtime > 50:
            time.sleep(0.01)
        lease.check(lease_id)
    while store.list("leases"):
        time.sleep(0.01)
    with lease.kept() as another:
        assert another != lease_id
    lease.close()


def _check_for_ever(lease: Lease, lease_id: str) -> None:
    while True:
        lease.check(lease_id)


def test_a_process_that_could_not_renew_stops(tmp_path: Path) -> None:
    """It must not submit what another process may have taken over."""
    lease = Lease(LocalStore(tmp_path), seconds=0.3)
    with lease.kept() as lease_id:
        folder = tmp_path / "leases"
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
        folder.write_text("not a directory")
        with pytest.raises(TransientFailure, match="could not renew its lease"):
            _check_for_ever(lease, lease_id)
        lease.close()


class _Sleepy(LocalStore):
    """A store that does nothing until a moment."""

    until = 0.0

    def replace(self, key: str, data: bytes, *, durable: bool = False) -> None:
        """Sleep first."""
        time.sleep(max(0.0, self.until - time.monotonic()))
        super().replace(key, data, durable=durable)


def test_a_lease_that_had_ended_does_not_begin_again(tmp_path: Path) -> None:
    """A process that slept has another lease after that: its claims may have been taken over."""
    store = _Sleepy(tmp_path)
    lease = Lease(store, seconds=0.3)
    with lease.kept() as before:
        store.until = time.monotonic() + 0.4
        lease.is_dead("other")  # renews its own lease
        with lease.kept() as after:
            assert after != before
            with pytest.raises(TransientFailure, match="could not renew its lease"):
                lease.check(before)
    lease.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_forked_process_has_a_lease_of_its_own(tmp_path: Path) -> None:
    """Its parent's would be renewed by the parent, whatever becomes of the child."""
    done = subprocess.run(  # noqa: S603  # our own interpreter, fixed arguments
        [sys.executable, "-c", _FORK, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2", "True", "1"]
    assert list((tmp_path / "leases").iterdir()) == [], "a clean exit gives the lease back"


class _Forgetful(LocalStore):
    """A store that takes no notice of If-None-Match, as some have done."""

    def create(self, key: str, data: bytes, *, durable: bool = False) -> bool:
        """Replace what is there."""
        self.replace(key, data, durable=durable)
        return True


def test_a_store_that_does_not_create_exclusively_is_refused(tmp_path: Path) -> None:
    """It is tried once a process, before the first claim."""
    with (
        pytest.raises(RelayConfigurationError, match="does not create exclusively"),
        Lease(_Forgetful(tmp_path)).kept(),
    ):
        pass
