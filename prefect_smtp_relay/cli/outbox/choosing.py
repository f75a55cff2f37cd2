"""Which entries a command is about: by the beginning of their ids, or by their age."""

from __future__ import annotations

from collections.abc import Sequence

from prefect_smtp_relay.cli.ages import age, parse_age
from prefect_smtp_relay.cli.answer import UsageError
from prefect_smtp_relay.transports.outbox import Outbox, StoredMail

_LIST = "Run `prefect-smtp-relay outbox list` to see what there is."


def whole_ids(outbox: Outbox, written: Sequence[str]) -> list[str]:
    """Find the entries that somebody names, each by as much of its id as no other one begins with.

    Args:
        outbox: which has them.
        written: ids, or files and URLs as the log names them.

    Raises:
        UsageError: there is no such entry, or there are several.
        EmailError: the outbox cannot be read.
    """
    ids = outbox.ids() if written else []
    found = [_whole_id(_id_in(each), ids) for each in written]
    return list(dict.fromkeys(found))


def choose(
    outbox: Outbox, written: Sequence[str] = (), older_than: str | None = None
) -> list[StoredMail]:
    """Read the entries that somebody chose, the oldest first.

    Args:
        outbox: which has them.
        written: as for `whole_ids`; empty for all.
        older_than: such as ``2h``; None for any age.

    Raises:
        UsageError: as `whole_ids`; or that is not an age.
        EmailError: the outbox cannot be read.
    """
    least = None if older_than is None else parse_age(older_than, "--older-than")
    named = {*whole_ids(outbox, written)}
    return [
        mail
        for mail in outbox.entries()
        if (not named or mail.id in named) and (least is None or age(mail.stored_at) >= least)
    ]


def choose_one(outbox: Outbox, written: str) -> StoredMail:
    """Read the entry that somebody names; raises as `choose`."""
    for mail in choose(outbox, [written]):
        return mail
    raise _unknown(written)  # its record is gone, or a flush was faster


def _id_in(written: str) -> str:
    return written.strip().rpartition("/")[2].removesuffix(".eml").lower()


def _whole_id(written: str, ids: Sequence[str]) -> str:
    found = [each for each in ids if written and each.startswith(written)]
    if written in found:
        return written
    if not found:
        raise _unknown(written)
    if len(found) > 1:
        raise UsageError(
            f"{written} is the beginning of {len(found)} ids: {', '.join(found[:3])}. Write more"
            " of the one that you mean."
        )
    return found[0]


def _unknown(written: str) -> UsageError:
    return UsageError(f"there is no entry {written or repr(written)}. {_LIST}")
