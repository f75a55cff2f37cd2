"""A server that says nothing: it may be slow, or wait for TLS from the first byte."""

from __future__ import annotations

import contextlib
import socket

from prefect_smtp_relay.exceptions import TlsFailed
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.transports.deadline import Deadline
from prefect_smtp_relay.transports.resolver import Address, connect_to_first
from prefect_smtp_relay.transports.smtp import form
from prefect_smtp_relay.transports.smtp.config import SmtpConfig
from prefect_smtp_relay.transports.smtp.connect.learned import Learned
from prefect_smtp_relay.transports.smtp.connect.tls import speaks_tls

_WAITS_FOR_TLS = (
    "the server says nothing in plain text: it waits for TLS from the first byte (SMTPS). Switch"
    f" {form.SSL} on, and {form.ENABLE_STARTTLS} off."
)


def greeting_seconds(plain: socket.socket, config: SmtpConfig, address: Address) -> float | None:
    """Say how long to wait for a greeting, after the first seconds of silence.

    Args:
        plain: connected, without TLS.
        config: how to reach the relay.
        address: where it is connected to; a silent server is asked there for TLS.

    Returns:
        None for ``timeout_seconds``; the first wait of all is shorter: a server that never greets
        fails soon, and one that is slow is waited for in full at the next try.

    Raises:
        TlsFailed: it waits for TLS itself.
    """
    limits, share = config.limits, config.timeout_seconds / 4
    if not _is_silent(plain, min(limits.silence_seconds, share)):
        return None
    if _waits_for_tls(address, min(limits.probe_seconds, share)):
        raise TlsFailed(config.name, _WAITS_FOR_TLS, stage="greeting")
    slow = process_memory.of(Learned).slow
    if config.endpoint in slow:
        return None
    slow.add(config.endpoint)
    return min(limits.first_greeting_seconds, config.timeout_seconds)


def _is_silent(plain: socket.socket, seconds: float) -> bool:
    plain.settimeout(seconds)
    try:
        plain.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    except OSError:
        return False  # reading the greeting will tell what is wrong
    return False


def _waits_for_tls(address: Address, seconds: float) -> bool:
    with contextlib.suppress(OSError):
        sock, _ = connect_to_first([address], Deadline(seconds))
        sock.settimeout(seconds)
        return speaks_tls(sock)
    return False
