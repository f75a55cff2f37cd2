"""The preview of a mail from Python: what would be submitted, and nothing is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_smtp_relay import Preview, render
from prefect_smtp_relay.compose.options import MailOptions
from prefect_smtp_relay.exceptions import AttachmentError, InvalidMailbox, ProtectedDomain

PNG = b"\x89PNG\r\n\x1a\n"
_PREFIX = "PREFECT_INTEGRATIONS_SMTP_RELAY_"


@pytest.fixture(autouse=True)
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Stand where the Prefect API would: nobody may call."""
    monkeypatch.setenv(f"{_PREFIX}SPOOL", str(tmp_path / "spool"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/api"
        with temporary_settings({PREFECT_API_URL: url}):
            yield server
        with pytest.raises(BlockingIOError):
            server.accept()
    assert not (tmp_path / "outbox").exists()


def test_all_three_are_the_mail_that_would_be_submitted() -> None:
    """The parts of the MIME text are the HTML and the plain text of the preview."""
    preview = render("Ann <ann@example.org>", "Disk full", "# Full\n\nIt is **full**.")
    assert isinstance(preview, Preview)
    mail = message_from_bytes(preview.eml, policy=default)
    parts = {part.get_content_subtype(): part.get_content() for part in mail.iter_parts()}
    assert parts["plain"].replace("\r\n", "\n").rstrip("\n") == preview.text.rstrip("\n")
    assert parts["html"].replace("\r\n", "\n").rstrip("\n") == preview.html.rstrip("\n")
    assert "<strong>full</strong>" in preview.html
    assert (mail["Subject"], mail["To"]) == ("Disk full", "Ann <ann@example.org>")
    assert mail["X-Unsent"] is None


@pytest.mark.parametrize(
    ("arguments", "setting", "sender"),
    [
        ({"from_": "Ops <ops@example.org>"}, "a@b.org", "Ops <ops@example.org>"),
        ({}, "a@b.org", "a@b.org"),
        ({}, "", "from-not-set@outbox.invalid"),
    ],
)
def test_the_sender_needs_no_relay(
    arguments: MailOptions, setting: str, sender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call names it, else the setting, else a placeholder stands there."""
    monkeypatch.setenv(f"{_PREFIX}DEFAULT_FROM", setting)
    preview = render("ann@example.org", "s", "b", **arguments)
    assert message_from_bytes(preview.eml, policy=default)["From"] == sender


def test_bcc_recipients_stand_nowhere() -> None:
    """What is previewed may be passed on."""
    preview = render("", "s", "b", bcc="eve@example.org")
    assert b"eve" not in preview.eml + preview.page.encode()
    assert "eve" not in preview.text


def test_inline_images_show_in_a_browser() -> None:
    """The page holds them as data; the HTML part refers to them, as the mail does."""
    preview = render(
        "ann@example.org",
        "s",
        "![graph](cid:graph) and `src='cid:graph'`",
        inline_images={"graph": ("graph.png", PNG)},
    )
    assert 'src="cid:graph"' in preview.html
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in preview.page
    assert preview.page.count("data:") == 1


def test_a_wrong_mail_is_the_error_of_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be submitted is no preview either."""
    with pytest.raises(InvalidMailbox, match=r"^to: "):
        render("nobody", "s", "b")
    with pytest.raises(AttachmentError, match="no-such-file"):
        render("ann@example.org", "s", "b", attachments=["no-such-file"])
    monkeypatch.setenv(f"{_PREFIX}PROTECTED_DOMAINS", "example.com")
    with pytest.raises(ProtectedDomain):
        render("ann@example.org", "s", "b", from_="ceo@example.com")
