"""Debian's Dovecot as a submission service, with its own configuration in a temporary folder."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import trustme

_STARTUP_SECONDS = 20

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = submission
listen = 127.0.0.1
hostname = mail.test
default_internal_user = {internal_user}
default_login_user = {login_user}
ssl = required
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
auth_mechanisms = plain login cram-md5 scram-sha-256
auth_failure_delay = 0
mail_location = mbox:{folder}/mail
submission_relay_host = 127.0.0.1
submission_relay_port = {relay_port}
submission_relay_trusted = no
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service anvil {{
  chroot =
  # A wrong password would slow down all that follow.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service submission-login {{
  chroot =
  inet_listener submission {{
    port = {port}
  }}
}}
"""


@contextlib.contextmanager
def run_dovecot(
    program: str, folder: Path, users: Mapping[str, str], relay_port: int
) -> Iterator[tuple[int, str]]:
    """Run it until the block ends.

    Args:
        program: the path of ``dovecot``.
        folder: for its files; Dovecot's own users must be able to enter it.
        users: names and passwords.
        relay_port: of the server on loopback that gets the mail.

    Returns:
        Its port, where STARTTLS is required, and the PEM of the CA of its certificate.
    """
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
    ca_pem = _write_certificate(folder)
    accounts = (f"{name}:{{PLAIN}}{password}:::::\n" for name, password in users.items())
    (folder / "users").write_text("".join(accounts), encoding="utf-8")
    is_root, me = os.getuid() == 0, getpass.getuser()
    configuration = folder / "dovecot.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            port=port,
            relay_port=relay_port,
            uid=os.getuid() or 1000,
            gid=os.getgid() or 1000,
            internal_user="dovecot" if is_root else me,
            login_user="dovenull" if is_root else me,
        )
    )
    server = subprocess.Popen(  # noqa: S603  # Debian's own program, fixed arguments
        [program, "-F", "-c", str(configuration)]
    )
    try:
        _wait_for(port, server, folder / "log")
        yield port, ca_pem
    finally:
        server.terminate()
        server.wait(20)


def _write_certificate(folder: Path) -> str:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    (folder / "certificate.pem").write_bytes(
        b"".join(p.bytes() for p in certificate.cert_chain_pems)
    )
    return authority.cert_pem.bytes().decode()


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until it listens; its log says why it does not."""
    end = time.monotonic() + _STARTUP_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text() if log.exists() else "dovecot did not start")
