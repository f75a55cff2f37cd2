"""A wrong field is told without the secrets beside it."""

from __future__ import annotations

import pickle
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from prefect_smtp_relay import SMTP, SendGrid
from prefect_smtp_relay.blocks.documents import Connected
from prefect_smtp_relay.exceptions import RelayConfigurationError

CANARY = "canary-4f1c9b7e-never-shown"
NOW = datetime.now(UTC)

WRONG_SMTP: list[dict[str, Any]] = [
    {"username": None},
    {"password": ""},
    {"username": 5},
    {"password": [CANARY]},
    {"password": {"x": CANARY}},
    {"password": "********", "username": CANARY},
    {"address": ""},
    {"address": f"smtp://{CANARY}:{CANARY}@mx.example.org"},
    {"address": f"user:{CANARY}@mx.example.org"},
    {"address": f"user:{CANARY}@mx.example.org:587"},
    {"port": 0},
    {"port": "many"},
    {"authentication": "digest"},
    {"ssl": "perhaps"},
    {"from_address": "nobody"},
    {"ca_certificate": f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----"},
    {"timeout_seconds": 0},
    {"passwort": CANARY},
    {"oauth_token_url": f"https://user:{CANARY}@id.example.org/token"},
    {"oauth_token_url": f"http://id.example.org/{CANARY}"},
    {"oauth_token_url": f"https://[{CANARY}"},
    {"oauth_token_url": CANARY},
    {"oauth_client_secret": CANARY},
    {"oauth_refresh_token": "********"},
    {"oauth_refresh_token": [CANARY]},
    {"authentication": "xoauth2", "oauth_refresh_token": CANARY},
    {"authentication": "xoauth2", "oauth_token_url": "https://id.example.org/", "username": ""},
    {"authentication": "xoauth2", "oauth_token_url": f"https://id.example.org/{CANARY}"},
]
WRONG_SENDGRID: list[dict[str, Any]] = [
    {"api_key": f"two {CANARY}"},
    {"api_key": f"{CANARY}é"},
    {"api_key": [CANARY]},
    {"api_url": f"https://user:{CANARY}@api.sendgrid.com"},
    {"api_url": f"https://api.sendgrid.com/{CANARY}"},
    {"api_url": "http://api.sendgrid.com"},
    {"api_url": f"http://[{CANARY}"},
    {"from_address": "nobody"},
    {"categories": "text"},
    {"categories": ["x"] * 11},
    {"priority": "high"},
    {"apikey": CANARY},
]


def told(error: BaseException) -> str:
    """The texts of an error, and its traceback with its causes."""
    return f"{error} {error!r} {''.join(traceback.format_exception(error))}"


@pytest.mark.parametrize("fields", WRONG_SMTP, ids=str)
def test_a_wrong_smtp_field_shows_no_secret(fields: dict[str, Any]) -> None:
    """Neither the block's own error nor that about a document tells a value beside it."""
    values = {"address": "127.0.0.1", "username": CANARY, "password": CANARY, **fields}
    with pytest.raises(ValidationError) as invalid:
        SMTP(**values)
    with pytest.raises(RelayConfigurationError) as refused:
        Connected("smtp", "name", values, NOW).load()
    assert CANARY not in told(invalid.value) + told(refused.value)
    assert CANARY.encode() not in pickle.dumps(refused.value)


@pytest.mark.parametrize("fields", WRONG_SENDGRID, ids=str)
def test_a_wrong_sendgrid_field_shows_no_secret(fields: dict[str, Any]) -> None:
    """Neither the block's own error nor that about a document tells a value beside it."""
    values = {"api_key": CANARY, **fields}
    with pytest.raises(ValidationError) as invalid:
        SendGrid(**values)
    with pytest.raises(RelayConfigurationError) as refused:
        Connected("sendgrid", "name", values, NOW).load()
    assert CANARY not in told(invalid.value) + told(refused.value)
    assert CANARY.encode() not in pickle.dumps(refused.value)


def test_an_unreadable_priority_shows_no_secret() -> None:
    """The order of choice reads one field before the rest is checked."""
    with pytest.raises(RelayConfigurationError) as caught:
        _ = Connected("smtp", "name", {"priority": CANARY, "password": CANARY}, NOW).priority
    assert CANARY not in told(caught.value)
