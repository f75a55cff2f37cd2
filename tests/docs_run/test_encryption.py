"""What the page on security says of Prefect's database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from cryptography.fernet import Fernet

from prefect_smtp_relay import SMTP


def test_a_block_document_is_encrypted_with_a_key_in_the_same_database(
    prefect_server: Path,
) -> None:
    """Without a key of the operator's, the database has ciphertext and the key to it."""
    SMTP(
        address="only-in-the-page.example",
        username="only-in-the-page",
        password="only-in-the-page",
    ).save("secret")
    with closing(sqlite3.connect(prefect_server / "prefect.db")) as database:
        [(stored,)] = database.execute("SELECT data FROM block_document WHERE name = 'secret'")
        [(key,)] = database.execute("SELECT value FROM configuration WHERE key = 'ENCRYPTION_KEY'")
        assert not any("only-in-the-page" in line for line in database.iterdump())
    fields = json.loads(Fernet(json.loads(key)["fernet_key"]).decrypt(json.loads(stored)))
    assert fields["address"] == "only-in-the-page.example"
    assert fields["password"] == "only-in-the-page"
