"""Tasks that run in processes of their own, or later."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from prefect import flow
from prefect.exceptions import SerializationError
from prefect.task_runners import ProcessPoolTaskRunner

from prefect_smtp_relay import SMTP, Receipt, SendGrid, send_an_email
from prefect_smtp_relay.blocks.relays import RelayBlock
from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.testing.mail_server import MailServer


def test_tries_in_another_process_share_one_message_id_and_keep_nothing(
    mail_server: MailServer, outbox_path: Path
) -> None:
    """In a pool of processes too, only the last failed try would keep the mail."""
    SMTP(
        address=mail_server.host, port=mail_server.port, ssl=False, from_address="ops@example.org"
    ).save("main", overwrite=True)
    replies = iter(["451 4.3.0 later", "451 4.3.0 later"])
    seen: list[tuple[str, str]] = []

    def reply(message_id: str) -> str | None:
        seen.append((message_id, "try"))
        return next(replies, None)

    mail_server.data_reply = reply
    action = send_an_email.with_options(retries=2, retry_delay_seconds=0)

    @flow(task_runner=ProcessPoolTaskRunner(max_workers=1))  # type: ignore[arg-type]  # Prefect's stub knows futures of threads only
    def notify() -> Receipt:
        return action.submit("ann@example.org", "s", "b").result()

    receipt = notify()
    assert seen == [(receipt.message_id, "try")] * 3
    assert not list(outbox_path.glob("*.eml"))


@pytest.mark.parametrize(
    "block",
    [
        SMTP(address="mx.example.org", username="u", password="canary-secret"),
        SendGrid(api_key="SG.canary-secret"),
    ],
    ids=["smtp", "sendgrid"],
)
def test_a_relay_block_is_not_pickled_with_its_secrets(block: RelayBlock) -> None:
    """A delayed task would store the password in clear, so it is refused with the fix."""
    with pytest.raises(RelayConfigurationError, match="pass relay='") as caught:
        pickle.dumps(block)
    assert "canary" not in str(caught.value)
    with pytest.raises(SerializationError) as delayed:
        send_an_email.delay("ann@example.org", "s", "b", relay=block)
    assert isinstance(delayed.value.__cause__, RelayConfigurationError)
