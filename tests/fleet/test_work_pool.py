"""A deployment whose runs are spread over two process workers."""

from __future__ import annotations

from tests.fleet.disk_mail_server import Audit
from tests.fleet.fleet import Fleet
from tests.fleet.processes import wait_for

_RUNS, _MAILS = 4, 20


def test_two_workers_of_one_pool_share_the_runs(fleet: Fleet) -> None:
    """Each worker takes some of the runs, and each mail of each run arrives once."""
    with fleet.new_worker("second"):
        runs = [fleet.create_run(count=_MAILS, one_by_one=n % 2 == 0) for n in range(_RUNS)]
        wait_for(lambda: {fleet.state(run) for run in runs} == {"COMPLETED"}, "the runs")
    assert [fleet.audit(run, _MAILS) for run in runs] == [Audit()] * _RUNS
    for name in ("worker", "second"):
        assert any(f"flow run '{run}'" in fleet.log_of(name).read_text() for run in runs)
