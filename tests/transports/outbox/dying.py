"""Children that are killed before their n-th step on the disk, for each n until one lives on."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Message, compose
from prefect_smtp_relay.mail.receipt import Receipt
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.spool import open_spool
from prefect_smtp_relay.transports.outbox import Outbox

_NAME = "dying-spool"
_STEPS = ("open", "os.")
_steps_left = -1


def _die(event: str, arguments: tuple[object, ...]) -> None:
    """Count what touches the spool; the last step is not done any more."""
    global _steps_left
    if _steps_left >= 0 and event.startswith(_STEPS) and _NAME in str(arguments):
        _steps_left -= 1
        if _steps_left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def killed(act: Callable[[Path], object], prepare: Callable[[Path], object]) -> Iterator[Path]:
    """Let children act on a spool of their own, each killed one step later than the one before."""
    global _steps_left
    steps, status = 0, 1
    while status:
        with tempfile.TemporaryDirectory() as folder:
            spool = Path(folder) / _NAME
            prepare(spool)
            child = os.fork()
            if not child:
                _steps_left = steps
                try:
                    act(spool)
                except BaseException:
                    traceback.print_exc()
                    os._exit(1)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            assert status in {0, signal.SIGKILL}
            yield spool
            process_memory.reset()
            steps += 1


def message() -> Message:
    """The one message."""
    draft = compose(to="bob@example.net", subject="s", text="plain", html="")
    return draft.from_mailbox(Mailbox("ann", "example.org"), "one")


def outbox(spool: Path, *, keeps_unknown: bool = False) -> Outbox:
    """The outbox in a spool."""
    return Outbox(open_spool(str(spool)), keeps_unknown=keeps_unknown)


def keep(spool: Path) -> None:
    """Store it."""
    outbox(spool).keep(message(), Envelope.of(message()), "no relay")


def flush(spool: Path, *, keeps_unknown: bool = False) -> None:
    """Submit what is stored: a relay notes each submission in a file."""

    def submit(mail: Message, envelope: Envelope) -> Receipt:
        del envelope
        with (spool.parent / "submitted").open("a") as file:
            file.write(f"{mail.message_id}\n")
        return Receipt.for_message(mail, transport="t", outcome="accepted", accepted=(), size=1)

    outbox(spool, keeps_unknown=keeps_unknown).flush(submit)


def submitted(spool: Path) -> int:
    """How often the relay was handed it."""
    file = spool.parent / "submitted"
    return file.read_text().count("\n") if file.exists() else 0


def end_leases(spool: Path) -> None:
    """Let the time pass after which the dead are known to be dead."""
    for lease in spool.glob("leases/*"):
        lease.unlink()


def kill_writers() -> int:
    """Kill who stores: afterwards it is stored whole or not at all, and can be stored again."""
    count = 0
    for spool in killed(keep, lambda _: None):
        assert [mail.error for mail in outbox(spool).entries()] in ([], [""])
        keep(spool)
        (mail,) = outbox(spool).entries()
        assert outbox(spool).read(mail)[0].message_id == message().message_id
        flush(spool)
        assert (submitted(spool), outbox(spool).entries()) == (1, [])
        count += 1
    return count


def kill_flushes(*, keeps_unknown: bool) -> int:
    """Kill who flushes: afterwards nothing is lost, and nothing goes twice where that is asked."""
    count = 0

    def act(spool: Path) -> None:
        flush(spool, keeps_unknown=keeps_unknown)

    for spool in killed(act, keep):
        end_leases(spool)
        act(spool)
        left = outbox(spool).entries()
        assert submitted(spool) in ((0, 1) if keeps_unknown else (1, 2))
        assert [mail.may_be_accepted for mail in left] in ([], [True])
        assert left or submitted(spool)
        assert keeps_unknown or not left
        count += 1
    return count


if __name__ == "__main__":
    sys.addaudithook(_die)
    sys.stdout.write(f"{kill_writers()} {kill_flushes(keeps_unknown=False)}")
    sys.stdout.write(f" {kill_flushes(keeps_unknown=True)}\n")
