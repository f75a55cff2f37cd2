"""Every foreign error becomes one of the tree."""

from __future__ import annotations

import pickle
import socket
import ssl
from collections.abc import Iterator

import pytest

from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    DeliveryError,
    OutcomeUnknown,
    PermanentFailure,
    TimedOut,
    TlsFailed,
    UnknownHost,
)
from prefect_smtp_relay.transports.smtp.errors import FINAL_REPLY, translate, translating
from prefect_smtp_relay.transports.smtp.reply import MalformedReply

STAGES = ["connect", "TLS", "greeting", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "body"]
NAME = "smtp://mx.example.org:587"


def _family(kind: type[OSError]) -> Iterator[type[OSError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


KINDS = sorted(
    {
        kind
        for kind in _family(OSError)
        if kind.__module__ in ("builtins", "socket", "ssl", "_ssl", "_socket")
    },
    key=lambda kind: kind.__name__,
)


def _examples(kind: type[OSError]) -> list[OSError]:
    examples = [kind(), kind("words"), kind(5, "words")]
    for example in examples:
        if isinstance(example, ssl.SSLCertVerificationError):
            example.verify_code, example.verify_message = 20, "words"
    return examples


def test_the_families_are_complete() -> None:
    """The standard library's socket and TLS errors are among those enumerated."""
    assert {socket.gaierror, socket.herror, ssl.SSLError, ssl.SSLEOFError, TimeoutError} <= {*KINDS}
    assert {ssl.SSLCertVerificationError, ssl.SSLSyscallError, BrokenPipeError} <= {*KINDS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stage", STAGES)
def test_each_error_in_each_stage(kind: type[OSError], stage: str) -> None:
    """Before the final dot, every error says that nothing was handed over, and what to check."""
    for example in _examples(kind):
        with pytest.raises(DeliveryError) as caught, translating(NAME, stage):
            raise example
        error = caught.value
        assert type(error) in {ConnectionFailed, TimedOut, TlsFailed}
        assert error.__cause__ is example
        assert error.stage == stage
        assert not error.detail.startswith((".", " ", "None"))
        assert error.detail.endswith(".")
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  # our own


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_after_the_final_dot(kind: type[OSError]) -> None:
    """Once the message was handed over, every error means that nobody knows; it is tried again."""
    for example in _examples(kind):
        error = translate(NAME, FINAL_REPLY, example)
        assert type(error) is OutcomeUnknown
        assert error.transient


@pytest.mark.parametrize("stage", STAGES)
def test_a_malformed_reply_in_each_stage(stage: str) -> None:
    """What is no SMTP is permanent in the greeting, suspect in STARTTLS, else a lost connection."""
    expected = {"greeting": PermanentFailure, "STARTTLS": TlsFailed}.get(stage, ConnectionFailed)
    assert type(translate(NAME, stage, MalformedReply("words"))) is expected


def test_a_malformed_final_reply() -> None:
    """What is no SMTP in answer to the message leaves its fate unknown."""
    assert type(translate(NAME, FINAL_REPLY, MalformedReply("words"))) is OutcomeUnknown


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), UnknownHost),
        (socket.gaierror(socket.EAI_AGAIN, "later"), ConnectionFailed),
        (socket.herror(1, "unknown"), ConnectionFailed),
        (TimeoutError(), TimedOut),
        (BrokenPipeError(32, "broken"), ConnectionFailed),
        (ssl.SSLError(1, "bad"), TlsFailed),
        (ssl.SSLEOFError(8, "eof"), ConnectionFailed),
        (ssl.SSLZeroReturnError(6, "closed"), ConnectionFailed),
        (ssl.SSLSyscallError(5, "lost"), ConnectionFailed),
        (OSError(), ConnectionFailed),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else repr(value),
)
def test_which_error_is_which(error: OSError, kind: type[DeliveryError]) -> None:
    """Lost connections and time-outs may pass; a TLS that does not fit will not."""
    assert type(translate(NAME, "MAIL", error)) is kind


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (9, "not valid yet: check the clocks"),
        (10, "expired: have it renewed"),
        (18, "self-signed: put it in *Advanced: CA certificate*"),
        (19, "put the CA's PEM in *Advanced: CA certificate*"),
        (20, "put the CA's PEM in *Advanced: CA certificate*"),
        (62, "if it is the right server, set *Address*"),
        (64, "if it is the right server, set *Address*"),
        (66, "too weak to be safe"),
        (68, "too weak to be safe"),
        (79, "basicConstraints and keyUsage"),
        (85, "Python 3.13 and later check strictly"),
        (92, "Python 3.13 and later check strictly"),
    ],
)
def test_each_fault_of_a_certificate_has_its_advice(code: int, words: str) -> None:
    """OpenSSL's verify code decides what to change."""
    error = ssl.SSLCertVerificationError(1, "no")
    error.verify_code, error.verify_message = code, "words"
    assert words in str(translate(NAME, "TLS", error))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("DH_KEY_TOO_SMALL", "Diffie-Hellman key is too weak"),
        ("EE_KEY_TOO_SMALL", "have the certificate issued again"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "(`client_certificate`)"),
        ("TLSV1_ALERT_UNKNOWN_CA", "does not accept the client certificate"),
        ("TLSV1_UNRECOGNIZED_NAME", "(`tls_server_name`)"),
        ("UNSAFE_LEGACY_RENEGOTIATION_DISABLED", "secure renegotiation"),
        ("SOMETHING_NEW", "*Force STARTTLS* (`enable_starttls`)"),
    ],
)
def test_each_fault_of_tls_has_its_advice(reason: str, words: str) -> None:
    """OpenSSL's name of the error decides what to change; it is permanent."""
    error = ssl.SSLError(1, "no")
    error.reason = reason
    translated = translate(NAME, "TLS", error)
    assert words in str(translated)
    assert isinstance(translated, TlsFailed)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionResetError("gone"), "hung up after the TLS handshake"),
        (ssl.SSLEOFError(8, "eof"), "hung up after the TLS handshake"),
        (TimeoutError(), "says nothing after the TLS handshake"),
    ],
    ids=repr,
)
def test_a_greeting_that_is_missing_over_tls(error: OSError, words: str) -> None:
    """Nobody is told to switch `ssl` on where it is on."""
    text = str(translate(NAME, "greeting", error, is_encrypted=True))
    assert words in text
    assert "switch" not in text.lower()
