"""``idempotency_key="run"``: names a mail by its flow run, its text, and its number.

Prefect names the calls in a flow run anew each time it runs it, and mapped calls have no order.
What a mail says is the same when the flow run is run again; mails that say the same are counted in
the order of their calls.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict

from prefect_smtp_relay.exceptions import MessageError
from prefect_smtp_relay.mail.message import Draft
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.runtime.run import Place

RUN = "run"
_MAX_RUNS = 100


class Equals:
    """The callers of mails that say the same, for the flow runs that were last heard of."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: OrderedDict[str, dict[bytes, list[str]]] = OrderedDict()

    def number(self, place: Place, content: bytes) -> int:
        """Number a mail among its equals; one caller has one mail, however often it tries."""
        with self._lock:
            mails = self._runs.setdefault(f"{place.flow_run_id}/{place.attempt}", {})
            if len(self._runs) > _MAX_RUNS:
                self._runs.popitem(last=False)
            callers = mails.setdefault(content, [])
            if place.caller not in callers:
                callers.append(place.caller)
            return callers.index(place.caller)


def key_in_run(draft: Draft, number: int) -> str:
    """Return the key of a mail in the current flow run.

    Args:
        draft: the mail.
        number: its place among the mails of one call.

    Raises:
        MessageError: this is not a flow run.
    """
    place = Place.of_mail(number)
    if place is None:
        raise MessageError(
            "'run' names a mail by its flow run, and this is not one",
            "Name the mail yourself, such as idempotency_key='INC-42/declared'.",
            field="idempotency_key",
        )
    content = _content(draft)
    equal = process_memory.of(Equals).number(place, content)
    return f"run/{place.flow_run_id}/{content.hex()}/{equal}"


def _content(draft: Draft) -> bytes:
    to = [sorted(mailbox.address for mailbox in each) for each in (draft.to, draft.cc, draft.bcc)]
    files = [attachment.name for attachment in draft.attachments]
    return hashlib.sha256(json.dumps([to, draft.subject, draft.wording, files]).encode()).digest()
