"""The bound of a message's files, known before any relay is asked."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.exceptions import MessageTooLarge
from prefect_smtp_relay.mail.attachments.size_limit import SizeLimit
from prefect_smtp_relay.mail.message import Draft, compose

LIMIT = SizeLimit(1, "THE_SETTING")
MEGABYTE = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n"


class Endless(io.RawIOBase):
    """A file that never ends, and counts what was asked of it."""

    asked = 0

    def tell(self) -> int:
        """Stand at the start."""
        return 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go nowhere."""
        del whence
        return offset

    def read(self, size: int = -1) -> bytes:
        """Give as much as is wanted."""
        assert size >= 0, "read without a bound"
        self.asked += size
        return b"x" * size


def composed(**files: Any) -> Draft:
    """Compose a mail with these files under the limit."""
    return compose("a@b.org", "s", text="t", html="h", size_limit=LIMIT, **files)


def test_files_up_to_the_limit_are_taken() -> None:
    """The bound itself is permitted, attachments and inline images together."""
    draft = composed(
        attachments=[("a.bin", b"x" * (MEGABYTE - len(PNG)))], inline_images={"g": PNG}
    )
    assert sum(file.size for file in (*draft.attachments, *draft.inline_images)) == MEGABYTE


def test_the_sizes_the_limit_and_the_fix_are_named() -> None:
    """One octet too many is refused; no size is rounded down to the limit."""
    with pytest.raises(MessageTooLarge) as caught:
        composed(attachments=[("a.bin", b"x" * MEGABYTE)], inline_images={"g": PNG})
    assert str(caught.value) == (
        "attachments: 1.1 MB in all (a.bin 1.0 MB, g.png 0.1 MB), and the limit is 1 MB. Attach"
        " less, link to the files, or raise THE_SETTING; relays have limits of their own."
    )


def test_only_the_largest_are_named() -> None:
    """A hundred files do not make a text of a hundred names."""
    with pytest.raises(MessageTooLarge, match=r"\(9.bin 0.3 MB, 8.bin 0.3 MB, 7.bin 0.3 MB, ...\)"):
        composed(attachments=[(f"{n}.bin", b"x" * 30_000 * n) for n in range(10)])


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    """A path counts with the size that its file has; a sparse one of a terabyte costs nothing."""
    path = tmp_path / "dump.bin"
    with path.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(MessageTooLarge, match=r"dump.bin 953,674.4 MB"):
        composed(attachments=[path])


@pytest.mark.parametrize("argument", ["attachments", "inline_images"])
def test_an_open_file_is_read_up_to_the_limit(argument: str) -> None:
    """What never ends is refused after the limit, and one octet."""
    file = Endless()
    file.name = "x.png"  # type: ignore[attr-defined]  # as files on a disk have
    with pytest.raises(MessageTooLarge, match=r"the open file 'x.png' has more than 1 MB, and"):
        composed(**{argument: {"x.png": file}})
    assert file.asked == MEGABYTE + 1


def test_open_files_count_together() -> None:
    """Each below the limit, and both above it."""
    files = {name: io.BytesIO(b"x" * 600_000) for name in ("a", "b")}
    with pytest.raises(MessageTooLarge, match=r"1.2 MB in all \(a 0.6 MB, b 0.6 MB\)"):
        composed(attachments=files)
    assert [file.tell() for file in files.values()] == [0, 0]
