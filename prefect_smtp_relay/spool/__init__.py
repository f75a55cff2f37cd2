"""Where mail waits and keys are kept: one small store, on a disk or in object storage.

Keys are relative, with one folder each: ``outbox/<id>.json``, ``keys/<hash>``, ``leases/<id>``,
``threads/<hash>``.
"""

from prefect_smtp_relay.spool.spool import Spool, open_spool
from prefect_smtp_relay.spool.store import Entry

__all__ = ["Entry", "Spool", "open_spool"]
