"""Credentials are encrypted at rest: every byte that Prefect keeps is searched for them."""

from __future__ import annotations

import json
import sqlite3
from base64 import b64encode, urlsafe_b64encode
from contextlib import closing
from urllib.parse import quote

import pytest
from cryptography.fernet import Fernet

from prefect_smtp_relay.testing.certificates import Certificates
from tests.server.canary_evidence import RECIPIENT, SECRETS, Evidence, gather


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Evidence:
    """Run the flows once; each test looks at what they left."""
    return gather(tmp_path_factory.mktemp("prefect"), certificates)


def forms(text: str) -> dict[str, bytes]:
    """Every spelling under which a text could hide in a file."""
    octets = text.encode()
    found = {
        "plain": octets,
        "JSON": json.dumps(text)[1:-1].encode(),
        "percent": quote(text, safe="").encode(),
        "UTF-16": text.encode("utf-16-le"),
        "hex": octets.hex().encode(),
    }
    for shift in range(3):  # base64 of a longer text that holds this one
        start = -(-shift * 4 // 3)
        for name, encode in (("base64", b64encode), ("base64url", urlsafe_b64encode)):
            found[f"{name} {shift}"] = encode(b"\0" * shift + octets)[start:-4]
    return found


def sightings(texts: dict[str, str], places: dict[str, bytes]) -> list[str]:
    """Where which text is found, and in which spelling."""
    return [
        f"{name} as {form} in {place}"
        for name, text in texts.items()
        for form, octets in forms(text).items()
        for place, content in places.items()
        if octets in content
    ]


def test_no_credential_is_found_anywhere(evidence: Evidence) -> None:
    """Not in the database, result storage, outbox, output and logs, nor in the API's answers."""
    assert sightings(SECRETS, evidence.places) == []


def test_the_api_masks_the_secrets(evidence: Evidence) -> None:
    """Block documents read without their secrets hold asterisks."""
    documents = evidence.api["the API's block_documents"]
    assert sightings(SECRETS, {"documents": documents}) == []
    assert b"********" in documents


def test_the_database_holds_the_credentials_encrypted(evidence: Evidence) -> None:
    """With the server's key they can be read back, so the search had something to find."""
    with closing(sqlite3.connect(evidence.database)) as connection:
        rows = connection.execute("SELECT name, data FROM block_document").fetchall()
    fernet = Fernet(evidence.encryption_key)
    opened = "".join(fernet.decrypt(json.loads(data)).decode() for _, data in rows)
    assert sorted(name for name, _ in rows) == [
        *("elsewhere", "mounted", "mounted-wrong", "tokens", "used", "used", "wrong")
    ]
    found = {name for name, text in SECRETS.items() if json.dumps(text) in opened}
    assert found == set(SECRETS) - {"mounted"}, "what is in a file is not in the database at all"


def test_the_key_is_not_kept_beside_what_it_encrypts(evidence: Evidence) -> None:
    """With PREFECT_SERVER_ENCRYPTION_KEY, a copy of the server's disk opens nothing."""
    assert sightings({"key": evidence.encryption_key}, evidence.places) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("canary-flow-name", "server/prefect.db"),
        (RECIPIENT, "server/prefect.db"),
        (RECIPIENT, "client/storage/"),
        (RECIPIENT, "outbox/"),
        (RECIPIENT, "output"),
        ("canary-flow-name", "client.log"),
        ("canary-flow-name", "the API's flows"),
        (RECIPIENT, "the API's flow_runs"),
        ("send_an_email", "the API's task_runs"),
        ("refused@example.org", "the API's logs"),
        ("prefect.task-run.Failed", "the API's events"),
    ],
)
def test_the_search_finds_what_is_there(evidence: Evidence, text: str, place: str) -> None:
    """Every place was filled and is searched: what is no secret is found in it."""
    places = {name: octets for name, octets in evidence.places.items() if place in name}
    assert sightings({"control": text}, places) != []


@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc"])
@pytest.mark.parametrize("name", list(SECRETS))
def test_the_search_knows_each_spelling(name: str, before: bytes) -> None:
    """A secret is found as text, in JSON, in URLs, and within longer base64, as AUTH PLAIN is."""
    text = SECRETS[name]
    octets = before + text.encode() + b"after"
    places = {
        "text": octets,
        "JSON": json.dumps({"x": text}).encode(),
        "URL": f"https://h/?x={quote(text, safe='')}".encode(),
        "base64": b64encode(octets),
        "base64url": urlsafe_b64encode(octets),
    }
    found = sightings({name: text}, places)
    assert {sighting.rpartition(" in ")[2] for sighting in found} == set(places)
