"""``check``: every step to a relay but the message itself."""

from __future__ import annotations

from prefect_smtp_relay.blocks.relays import SMTP, RelayBlock
from prefect_smtp_relay.cli.answer import DONE, PROBLEM, Answer, Flag, Json, UsageError, show
from prefect_smtp_relay.cli.api import announce_api
from prefect_smtp_relay.cli.fields import SmtpFields, refuse_malformed
from prefect_smtp_relay.cli.gather import build, gather
from prefect_smtp_relay.cli.reports import describe_report
from prefect_smtp_relay.runtime import catalog
from prefect_smtp_relay.transports.check_report import Report

_NO_FIELDS = SmtpFields()


def check(
    relay: str | None = None,
    /,
    *,
    sender: str | None = None,
    recipient: str | None = None,
    preset: str | None = None,
    from_env: Flag = False,
    password_stdin: Flag = False,
    fields: SmtpFields = _NO_FIELDS,
    as_json: Json = False,
) -> int:
    """Check a relay, or a server that is not connected.

    Args:
        relay: smtp/NAME or sendgrid/NAME.
        sender: The address to try as sender; by default the relay's own.
        recipient: The address to try as recipient, over SMTP; by default the sender.
        preset: A known mail service; `prefect-smtp-relay preset` lists them.
        from_env: Read the fields from SMTP_ADDRESS, SMTP_PASSWORD and so on.
        password_stdin: Read the password from the first line of stdin.
        fields: Of a server that is not connected.
        as_json: Print one JSON document.
    """
    given = fields.given()
    is_other = bool(given or preset or from_env)
    if relay is not None and is_other:
        raise UsageError("Name a connected relay, or describe a server by options; not both.")
    block: RelayBlock
    if is_other:
        gathered = gather(
            SMTP,
            given,
            preset=preset,
            from_env=from_env,
            secret_from_stdin=password_stdin,
            only_secret=True,
        )
        block = build(SMTP, gathered, from_env=from_env)
    else:
        block = _connected(relay)
    report = _check(block, sender, recipient)
    code = DONE if report.has_passed else PROBLEM
    data = {**report.model_dump(), "has_passed": report.has_passed}
    return show(Answer(data, list(describe_report(report)), code=code), as_json=as_json)


def _connected(relay: str | None) -> RelayBlock:
    if relay is not None:
        refuse_malformed(relay)
    announce_api()
    if relay is not None:
        return catalog.named(relay)
    block = catalog.preferred()
    if block is None:
        raise UsageError("No relay is connected: describe a server by --address or --preset.")
    return block


def _check(block: RelayBlock, sender: str | None, recipient: str | None) -> Report:
    if isinstance(block, SMTP):
        return block.check(sender, recipient)
    if recipient is not None:
        raise UsageError("--recipient: SendGrid cannot be asked about one.")
    return block.check(sender)
