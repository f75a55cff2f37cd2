"""S3 on this host: moto's server, in a thread, and the settings that lead there."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

from cryptography.fernet import Fernet
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

BUCKET = "mail"
KEY = Fernet.generate_key().decode()


@dataclass(frozen=True)
class Bucket:
    """A bucket, and how to reach it.

    Args:
        endpoint: the server's address.
    """

    endpoint: str

    @property
    def options(self) -> Mapping[str, Any]:
        """For `open_spool`."""
        return {
            "endpoint_url": self.endpoint,
            "key": "canary-access",
            "secret": "canary-secret",
            "client_kwargs": {"region_name": "us-east-1"},
        }

    @property
    def keys(self) -> tuple[SecretStr, ...]:
        """Of the spools in it."""
        return (SecretStr(KEY),)

    def settings(self, folder: str) -> dict[str, str]:
        """The variables of a process whose spool is in a folder of the bucket."""
        values = {"SPOOL": f"s3://{BUCKET}/{folder}", "SPOOL_KEY": KEY}
        values["SPOOL_OPTIONS"] = json.dumps(self.options)
        return {f"PREFECT_INTEGRATIONS_SMTP_RELAY_{name}": text for name, text in values.items()}


@contextmanager
def object_storage() -> Iterator[Bucket]:
    """Run the server, with one bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    with urlopen(Request(f"{endpoint}/{BUCKET}", method="PUT")):  # noqa: S310  # loopback
        pass
    yield Bucket(endpoint)
    server.stop()
