"""Debian's Thunderbird, without a window: what the tests see as a reader would."""

from __future__ import annotations

import itertools
import json
import mailbox
import os
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.programs import find_program

_PATIENCE_SECONDS = 120
_PREFERENCES = {
    "mail.accountmanager.accounts": "account1",
    "mail.accountmanager.localfoldersserver": "server1",
    "mail.account.account1.server": "server1",
    "mail.server.server1.type": "none",
    "mail.server.server1.hostname": "Local Folders",
    "mail.server.server1.name": "Local Folders",
    "mail.server.server1.userName": "nobody",
    "mail.server.server1.directory-rel": "[ProfD]Mail/Local Folders",
    "mail.provider.suppress_dialog_on_startup": True,
    "mailnews.start_page.enabled": False,
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.proxy.type": 1,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,  # nothing asks another host
    "marionette.port": 0,
}

_ROWS = """
const done = arguments[arguments.length - 1];
(async () => {
  const { MailServices } =
    ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
  const inbox = MailServices.accounts.localFoldersServer.rootFolder.getChildNamed("Inbox");
  const window = Services.wm.getMostRecentWindow("mail:3pane");
  const pane = window.document.getElementById("tabmail").currentAbout3Pane;
  pane.displayFolder(inbox.URI);
  while (!(pane.gDBView?.rowCount && inbox.getTotalMessages(false) >= arguments[0])) {
    await new Promise(resolve => window.setTimeout(resolve, 50));
  }
  pane.gViewWrapper.showThreaded = true;
  const view = pane.gDBView;
  view.doCommand(Ci.nsMsgViewCommandType.expandAll);
  return [...Array(view.rowCount).keys()].map(
    row => [view.getLevel(row), view.getMsgHdrAt(row).mime2DecodedSubject]);
})().then(done, error => done(String(error)));
"""


class Thunderbird:
    """A running Thunderbird, which does what is asked of it over Mozilla's Marionette protocol."""

    def __init__(self, port: int) -> None:
        self._stream = socket.create_connection(("127.0.0.1", port), _PATIENCE_SECONDS).makefile(
            "rwb"
        )
        self._numbers = itertools.count(1)
        self._read()
        self._ask("WebDriver:NewSession", capabilities={})
        self._ask("Marionette:SetContext", value="chrome")

    def threads(self, count: int) -> list[tuple[int, str]]:
        """Show the inbox by threads, once it has so many mails.

        Returns:
            For each row how deep it is in its thread, and its subject.
        """
        rows = self._ask("WebDriver:ExecuteAsyncScript", script=_ROWS, args=[count])["value"]
        return [(level, subject) for level, subject in rows]

    def _ask(self, command: str, **parameters: Any) -> Any:
        message = json.dumps([0, next(self._numbers), command, parameters]).encode()
        self._stream.write(b"%d:%b" % (len(message), message))
        self._stream.flush()
        _, _, error, answer = self._read()
        assert error is None, error
        return answer

    def _read(self) -> Any:
        size = b"".join(iter(lambda: self._stream.read(1), b":"))
        return json.loads(self._stream.read(int(size)))


@contextmanager
def running_thunderbird(home: Path, mails: Iterable[bytes]) -> Iterator[Thunderbird]:
    """Run it until the block is left.

    Args:
        home: an empty folder.
        mails: what its inbox has.
    """
    program = find_program("thunderbird", "mail program")
    profile = home / "profile"
    folders = profile / "Mail" / "Local Folders"
    folders.mkdir(parents=True)
    inbox = mailbox.mbox(folders / "Inbox")
    for mail in mails:
        inbox.add(mail)
    inbox.close()
    lines = (f"user_pref({json.dumps(n)}, {json.dumps(v)});" for n, v in _PREFERENCES.items())
    profile.joinpath("prefs.js").write_text("\n".join(lines), encoding="utf-8")
    arguments = ["--headless", "--marionette", "--remote-allow-system-access", "-mail"]
    with subprocess.Popen(  # noqa: S603 - Debian's program, our own arguments
        [program, *arguments, "--profile", profile],
        env={**os.environ, "HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield Thunderbird(_port_of(profile, process))
        finally:
            process.terminate()


def _port_of(profile: Path, process: subprocess.Popen[bytes]) -> int:
    """Wait until it listens, and read where."""
    written, deadline = profile / "MarionetteActivePort", time.monotonic() + _PATIENCE_SECONDS
    while not (written.exists() and written.read_text(encoding="utf-8").strip()):
        assert process.poll() is None, "Thunderbird has ended"
        assert time.monotonic() < deadline, "Thunderbird does not listen"
        time.sleep(0.1)
    return int(written.read_text(encoding="utf-8"))
