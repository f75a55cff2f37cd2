"""Each fault of the table of faults, at the first of two relays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from unittest import mock

from pydantic import SecretStr

from prefect_smtp_relay.blocks.documents import Connected
from prefect_smtp_relay.delivery import relay_choice
from prefect_smtp_relay.delivery.deliver import deliver
from prefect_smtp_relay.delivery.outcome import Outcome
from prefect_smtp_relay.delivery.routing import Relay
from prefect_smtp_relay.exceptions import (
    ConnectionFailed,
    OutcomeUnknown,
    RelayConfigurationError,
    TimedOut,
    TransientFailure,
)
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.runtime.run import Run
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.testing.certificates import Certificates
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp import (
    Credentials,
    Limits,
    Security,
    SmtpConfig,
    SmtpTransport,
)
from tests.transports.smtp.faults import encryption, grammar, login, message, opening, submission
from tests.transports.smtp.faults.scenario import (
    PASSWORD,
    USERNAME,
    Scenario,
    SessionKind,
    expand,
    write_out,
)
from tests.transports.smtp.odd_certificates import ODD
from tests.transports.smtp.scripted_server import ScriptedServer

CASES = [
    (name, scenario, kind)
    for module in (opening, encryption, login, submission, message, grammar)
    for name, scenario, kind in expand([replace(s, kinds=s.kinds[-1:]) for s in module.SCENARIOS])
]
"""Each scenario once, in the last of its kinds of session."""

_NOW = datetime.now(UTC)
_BEFORE_MAIL = {"connect", "TLS", "greeting", "EHLO", "STARTTLS", "AUTH"}
_BEFORE_THE_END = {"MAIL", "RCPT", "DATA", "body"}


@dataclass(frozen=True)
class KnownRelay(Connected):
    """A connected relay whose transport is known."""

    relay: Relay

    def load(self) -> Any:
        """Nothing is to be read."""
        return self.relay


class Ending(NamedTuple):
    """What came of one mail.

    Args:
        outcome: what the caller is told.
        at_first, at_second: copies that each relay has stored.
    """

    outcome: Outcome
    at_first: int
    at_second: int


def may_fail_over(scenario: Scenario) -> bool | None:
    """Whether nothing is handed over, and nothing refused, as the table says it.

    None where the server may close before the end of the message has gone out, or after it.
    """
    kind, stages = scenario.error, set(scenario.stage.split("|"))
    if stages == {"body", "final reply"}:
        return None
    if kind is None or kind is OutcomeUnknown:
        return False
    if stages <= _BEFORE_MAIL or issubclass(kind, RelayConfigurationError):
        return True
    if issubclass(kind, (ConnectionFailed, TimedOut)):
        return True
    return kind is TransientFailure and stages <= _BEFORE_THE_END


def play(
    scenario: Scenario, kind: SessionKind, second: MailServer, certificates: Certificates
) -> Ending:
    """Deliver one mail while the first relay has a fault, and the second has none."""
    trusted, context = certificates.ca_pem, certificates.server_context
    if scenario.certificate in ODD:
        trusted, context = ODD[scenario.certificate]()
    scripts = [write_out(script, kind) for script in scenario.scripts]
    first = ScriptedServer(*scripts, tls_context=context, extensions=kind.extensions)
    config: dict[str, Any] = {
        "address": first.host,
        "port": first.port,
        "ca_certificate": trusted,
        "credentials": Credentials(SecretStr(USERNAME), SecretStr(PASSWORD)),
        **kind.settings,
        **scenario.settings,
        "timeout_seconds": scenario.timeout,
        "limits": Limits(final_reply_seconds=scenario.timeout, pauses_seconds=()),
    }
    before = len(second.mails)
    with _running(first, listens=bool(scripts)):
        outcome = _deliver(scenario, SmtpConfig(**config), second)
    return Ending(outcome, len(first.stored), len(second.mails) - before)


@contextlib.contextmanager
def _running(server: ScriptedServer, *, listens: bool) -> Iterator[None]:
    process_memory.reset()
    if not listens:
        server.stop()
        yield
        return
    with server:
        yield


def _deliver(scenario: Scenario, first: SmtpConfig, second: MailServer) -> Outcome:
    plain = SmtpConfig("127.0.0.1", second.port, Security.PLAIN_TEXT)
    connected = [
        KnownRelay("smtp", name, {}, _NOW, Relay(f"smtp/{name}", SmtpTransport(config), ()))
        for name, config in (("first", first), ("second", plain))
    ]
    draft = compose(
        scenario.to,
        subject="s",
        text="t",
        html="",
        from_="flows@example.org",
        attachments={"dump.bin": bytes(scenario.attached)},
    )
    settings = SmtpRelaySettings(failover=True)
    with (
        mock.patch.object(catalog, "connected", return_value=connected),
        mock.patch.object(relay_choice, "relay_of", lambda relay, _: relay),
    ):
        return deliver([draft], None, Run(), settings, keeps=False)[0]
