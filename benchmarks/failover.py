"""Each fault of the table of faults, at the first of two relays: who has the mail in the end.

``python -m benchmarks.failover`` prints how many mails are lost, and how many doubled.
"""

from __future__ import annotations

from prefect_smtp_relay.testing.certificates import issue_certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.delivery.failover.two_relays import CASES, play


def main() -> None:
    """Play every fault once."""
    certificates = issue_certificates()
    with MailServer() as second:
        endings = [play(scenario, kind, second, certificates) for _, scenario, kind in CASES]
    lost = sum(not e.at_first + e.at_second and e.outcome.error is None for e in endings)
    doubled = sum(bool(e.at_first and e.at_second) for e in endings)
    passed_on = sum(e.at_second for e in endings)
    told = sum(e.outcome.error is not None for e in endings)
    print(f"{len(endings)} faults at the first of two relays: {lost} lost, {doubled} doubled.")
    print(f"The second relay took {passed_on}; of {told} the caller is told the error.")


if __name__ == "__main__":
    main()
