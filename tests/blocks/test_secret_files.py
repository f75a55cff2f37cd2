"""A secret in a file: read at each delivery, where the operator of the process permits it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from prefect_smtp_relay import SMTP, SendGrid
from prefect_smtp_relay.blocks.secret_file import MAX_SECRET_BYTES, is_permitted, read_secret_file
from prefect_smtp_relay.exceptions import AuthenticationFailed, RelayConfigurationError
from prefect_smtp_relay.mail.envelope import Envelope
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import compose
from prefect_smtp_relay.settings import SmtpRelaySettings
from prefect_smtp_relay.testing.mail_server import MailServer
from tests.frames import told
from tests.mounted import mount

CANARY = "canary-91ce-never-shown"
USER = "flows@example.org"
ACCOUNT = {"address": "mx.example.org", "username": USER}
DEFAULTS: list[str] = SmtpRelaySettings.model_fields["secret_files"].get_default(
    call_default_factory=True, validated_data={}
)


@pytest.fixture
def password_of(secrets: Path) -> Callable[[bytes], SecretStr]:
    """Write a file, and give the password that a block makes of it."""

    def read(content: bytes) -> SecretStr:
        file = secrets / "password"
        file.write_bytes(content)
        credentials = SMTP(**ACCOUNT, password_file=str(file)).get_config().credentials
        assert credentials is not None
        return credentials.password

    return read


def deliver(block: SMTP) -> None:
    """Submit one mail."""
    draft = compose("ann@example.org", "Subject", text="Text", html="<p>Text</p>")
    message = draft.from_mailbox(Mailbox.parse("ops@example.org"))
    block.get_transport().deliver(message, Envelope.of(message))


def test_a_secret_that_is_exchanged_is_used_at_once(secrets: Path) -> None:
    """The server's password changes, the mounted one too: the same block logs in with the new."""
    mount(secrets, "2026_1", password=f"{CANARY}\n")
    users = {USER: CANARY}
    with MailServer(users=users, auth_in_cleartext=True) as server:
        block = SMTP(
            address="127.0.0.1",
            port=server.port,
            ssl=False,
            username=USER,
            password_file=str(secrets / "password"),
        )
        deliver(block)
        users[USER] = "the new one"
        mount(secrets, "2026_2", password="the new one")
        deliver(block)
        users[USER] = "a third one"
        mount(secrets, "2026_3", password=f"{CANARY}-2")
        with pytest.raises(AuthenticationFailed) as caught:
            deliver(block)
    assert [mail.username for mail in server.mails] == [USER, USER]
    assert CANARY not in told(caught.value)


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"pass\n", "pass"),
        (b"pass\r\n", "pass"),
        (b" pa ss \n\n", " pa ss "),
        ("\ufeffp\u00e4ss".encode(), "p\u00e4ss"),
    ],
    ids=["newline", "crlf", "spaces", "bom"],
)
def test_only_line_ends_and_a_byte_order_mark_are_removed(
    password_of: Callable[[bytes], SecretStr], content: bytes, password: str
) -> None:
    """Editors and ``echo`` add them; spaces may be part of a password."""
    assert password_of(content).get_secret_value() == password


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (f"{CANARY}\nand more".encode(), "has more than one line"),
        (CANARY.encode() + b"\xff", "is not UTF-8"),
        (CANARY.encode("utf-16"), "is not UTF-8"),
        (CANARY.encode() * MAX_SECRET_BYTES, "has more than 16,384 bytes"),
    ],
    ids=["empty", "space", "lines", "latin-1", "utf-16", "large"],
)
def test_a_content_that_is_not_a_secret(
    password_of: Callable[[bytes], SecretStr], content: bytes, problem: str
) -> None:
    """The error names the block, the field, the path and the problem, and shows nothing of it."""
    with pytest.raises(RelayConfigurationError) as caught:
        password_of(content)
    text = str(caught.value)
    assert text.startswith("smtp: *Advanced: Password file* (`password_file`): /")
    assert f"/secrets/password {problem}. Write the secret alone into it" in text
    assert CANARY not in told(caught.value)
    assert not caught.value.transient


def _nothing(_: Path) -> None: ...


@pytest.mark.parametrize(
    ("make", "problem", "fix"),
    [
        (_nothing, "does not exist on this host", "Mount the secret there wherever mail is sent"),
        (Path.mkdir, "cannot be read: Is a directory", "Mount the secret there"),
        (os.mkfifo, "is not a file", "Mount the secret there"),
    ],
    ids=["missing", "directory", "pipe"],
)
def test_a_file_that_cannot_be_read(
    secrets: Path, make: Callable[[Path], None], problem: str, fix: str
) -> None:
    """The error names the path, and what the host has to change; a pipe makes no mail wait."""
    file = secrets / "password"
    make(file)
    block = SMTP(**ACCOUNT, password_file=str(file))
    with pytest.raises(RelayConfigurationError) as caught:
        block.get_config()
    assert f"{file} {problem}. {fix}" in str(caught.value)


@contextmanager
def not_root() -> Iterator[None]:
    """Be a user who may not read everything."""
    user = os.geteuid()
    os.seteuid(user or 65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_file_of_another_user(secrets: Path) -> None:
    """Where the user of the process may not read it, that is what the error says."""
    file = secrets / "password"
    file.write_text(CANARY)
    file.chmod(0)
    with not_root(), pytest.raises(RelayConfigurationError) as caught:
        read_secret_file(str(file), [f"{secrets}/*"])
    assert f"{file} may not be read by the user of this process. Mount it so" in str(caught.value)
    assert CANARY not in told(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "../other/key",
        "nested/key",
        "..data/password",
        "out",
        "..",
        "../secrets-of-others/key",
        "/etc/passwd",
        "/proc/self/environ",
    ],
)
def test_who_edits_a_block_cannot_read_other_files(secrets: Path, path: str) -> None:
    """Neither a path that leads out, nor a link, nor a directory within: the setting decides."""
    for folder in ("other", "secrets-of-others", "secrets/nested"):
        place = secrets.parent / folder
        place.mkdir()
        place.joinpath("key").write_text(CANARY)
    mount(secrets, "1", password=CANARY)
    secrets.joinpath("out").symlink_to(secrets.parent / "other" / "key")
    block = SMTP(**ACCOUNT, password_file=os.path.join(secrets, path))  # noqa: PTH118  # with the dots
    with pytest.raises(RelayConfigurationError) as caught:
        block.get_config()
    assert "is not a file that secrets may be read from here" in str(caught.value)
    assert f"Use one of {secrets}/*, or add it to the setting" in str(caught.value)
    assert CANARY not in told(caught.value)


@pytest.mark.parametrize(
    ("path", "permitted"),
    [
        ("/run/secrets/smtp_password", True),
        ("/run/secrets/sendgrid_api_key", True),
        ("/run/secrets/smtp-relay/password", True),
        ("/run/secrets/db_password", False),
        ("/run/secrets/kubernetes.io/serviceaccount/token", False),
        ("/run/secrets/eks.amazonaws.com/serviceaccount/token", False),
        ("/run/secrets/smtp-relay/../db_password", False),
        ("/run/secrets/smtp-relay/x/y", False),
        ("/etc/smtp_password", False),
    ],
)
def test_what_is_permitted_by_default(path: str, permitted: bool) -> None:
    """What is mounted for this package; no token of the pod, and no secret of another program."""
    assert is_permitted(path, DEFAULTS) is permitted


@pytest.mark.parametrize("block", [SMTP, SendGrid])
def test_the_examples_of_the_form_are_permitted(block: type[SMTP | SendGrid]) -> None:
    """Who follows the form needs no setting."""
    files = [field for name, field in block.model_fields.items() if name.endswith("_file")]
    assert files
    assert all(is_permitted(str((field.examples or [""])[0]), DEFAULTS) for field in files)


def test_a_directory_has_several_names(tmp_path: Path) -> None:
    """``/var/run`` is a link to ``/run``: one of the names in the setting permits both."""
    tmp_path.joinpath("run").mkdir()
    tmp_path.joinpath("var-run").symlink_to("run")
    for one, other in (("run", "var-run"), ("var-run", "run")):
        assert is_permitted(f"{tmp_path}/{one}/password", [f"{tmp_path}/{other}/*"])


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of secrets with links in all directions, beside one of other secrets."""
    top = tmp_path_factory.mktemp("tree")
    for name in ("secrets", "secrets/nested", "others"):
        top.joinpath(name).mkdir()
        top.joinpath(name, "key").write_text(name)
    for link, target in {
        "secrets/out": "../others",
        "secrets/file": "../others/key",
        "secrets/up": "..",
        "secrets/in": "nested/key",
        "others/back": "../secrets",
        "alias": "secrets",
    }.items():
        top.joinpath(link).symlink_to(target)
    return top


_STEPS = ("secrets", "others", "nested", "key", "file", "out", "up", "in", "back", "alias")


@given(steps=st.lists(st.sampled_from((*_STEPS, "..", ".", "", "*")), max_size=7))
def test_no_path_leads_to_what_is_elsewhere(tree: Path, steps: list[str]) -> None:
    """Whatever turns it takes: what is read is in the directory, by a name in it."""
    with suppress(RelayConfigurationError):
        secret = read_secret_file("/".join([str(tree), *steps]), [f"{tree}/secrets/*"])
        assert secret.get_secret_value() in {"secrets", "secrets/nested"}
