import io
import os
import pickle
from pathlib import Path

import pytest

from prefect_smtp_relay.exceptions import AttachmentError
from prefect_smtp_relay.mail.attachments.attachment import CHUNK, Attachment
from prefect_smtp_relay.mail.attachments.reading import read_attachments, read_inline_images

PNG = b"\x89PNG\r\n\x1a\n rest"
SVG = b'<?xml version="1.0"?>\n<svg/>'
WEBP = b"RIFF\x00\x01\x02\x03WEBP"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Write a small file to attach."""
    path = tmp_path / "report.pdf"
    path.write_bytes(b"octets")
    return path


def octets(attachment: Attachment) -> bytes:
    """Read an attachment whole."""
    return b"".join(attachment.chunks())


def test_a_path_brings_its_name_and_type(report: Path) -> None:
    """A path is attached under its own name, with the media type of its suffix."""
    for value in (report, str(report)):
        (attachment,) = read_attachments([value])
        assert (attachment.name, attachment.media_type) == ("report.pdf", "application/pdf")
        assert (attachment.size, octets(attachment)) == (6, b"octets")


@pytest.mark.parametrize(
    ("value", "name", "media_type"),
    [
        (("a.csv", b"1,2"), "a.csv", "text/csv; charset=utf-8"),
        (("a.csv", b"1,2", "text/plain"), "a.csv", "text/plain; charset=utf-8"),
        (("a", b""), "a", "application/octet-stream"),
        (("a.tar.gz", b"x"), "a.tar.gz", "application/gzip"),
        (("a.json.bz2", b"x"), "a.json.bz2", "application/x-bzip2"),
        (("v1.2.png", b"x"), "v1.2.png", "image/png"),
        (("//[odd/a.PNG", b"x"), "//[odd/a.PNG", "image/png"),
        (Attachment(b"x", "b.txt"), "b.txt", "text/plain; charset=utf-8"),
    ],
)
def test_octets_with_a_name(value: Attachment, name: str, media_type: str) -> None:
    """Octets take the given name, and the media type that it says or that is given."""
    (attachment,) = read_attachments([value])
    assert (attachment.name, attachment.media_type) == (name, media_type)


def test_an_open_file_is_read_at_once(report: Path) -> None:
    """An open file may be closed after the message is composed."""
    with report.open("rb") as file:
        (attachment,) = read_attachments([file])
    assert (attachment.name, octets(attachment)) == ("report.pdf", b"octets")
    (text,) = read_attachments({"notes.txt": io.StringIO("n\u00f6te")})  # type: ignore[dict-item] # people do it
    assert octets(text) == "n\u00f6te".encode()


@pytest.mark.parametrize(
    "value", [b"x", ("old.txt", b"x"), io.BytesIO(b"x"), Attachment(b"x", "old.txt")]
)
def test_a_mapping_names_what_it_holds(value: Attachment) -> None:
    """The key of a mapping is the file's name, whatever the value would be called."""
    (attachment,) = read_attachments({"new.txt": value})
    assert (attachment.name, octets(attachment)) == ("new.txt", b"x")


def test_a_mapping_renames_a_path(report: Path) -> None:
    """A path in a mapping is attached under the key."""
    (attachment,) = read_attachments({"Bericht.pdf": report})
    assert attachment.name == "Bericht.pdf"


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ("report.pdf", "expected a list"),
        (b"octets", "expected a list"),
        ([b"octets"], "bytes need a name"),
        ([("", b"x")], "bytes need a name"),
        ([io.BytesIO(b"x")], "bytes need a name"),
        (["/no/such/file.pdf"], "cannot read '/no/such/file.pdf'"),
        (["no\x00dir/b"], "cannot read"),
        (["s3://bucket/report.pdf"], "is a URL. Read it first"),
        (["/"], "is not a file|bytes need a name"),
        ([Path(__file__).parent], "is not a file"),
        ([1], "cannot attach a int"),
        ([None], "cannot attach a NoneType"),
        ([("a.txt",)], "a tuple of 1"),
        ([("a.txt", "text")], "cannot attach a str"),
        ([("a.txt", b"x", "nonsense")], "'nonsense' is not a media type"),
        ([("a.txt", b"x", "t\u00e4xt/plain")], "is not a media type"),
        ([("a.txt", b"x", "text/plain\r\nX: y")], "is not a media type"),
        ([("a.txt", b"x", "text/" + "x" * 128)], "is not a media type"),
    ],
)
def test_what_cannot_be_attached(values: list[Attachment], what: str) -> None:
    """Every mistake is an AttachmentError that names the argument and the fix."""
    with pytest.raises(AttachmentError, match=f"^attachments: .*{what}"):
        read_attachments(values)


@pytest.mark.parametrize(
    "character", [chr(c) for c in (*range(32), *range(127, 160), 0x2028, 0x2029, 0xD800)]
)
def test_control_characters_are_refused_in_names(character: str) -> None:
    """A file name holds no control character, half character or line end of Unicode."""
    with pytest.raises(AttachmentError, match="Rename it"):
        Attachment(b"x", f"a{character}b.txt")


def test_a_closed_file_is_refused(report: Path) -> None:
    """A file that was closed too early is an AttachmentError."""
    file = report.open("rb")
    file.close()
    with pytest.raises(AttachmentError, match="cannot read the open file"):
        read_attachments([file])


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    """A named pipe is not a file: opening it would wait for a writer."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AttachmentError, match="is not a file"):
        Attachment(tmp_path / "pipe")


@pytest.mark.parametrize("media_type", ["message/rfc822", "Message/RFC822", "multipart/mixed", ""])
def test_a_composite_type_travels_as_octets(media_type: str) -> None:
    """A mail as a file is octets: its own type may not be base64 (RFC 2045, section 6.4)."""
    assert Attachment(b"x", "mail.eml", media_type).media_type == "application/octet-stream"


@pytest.mark.parametrize("change", [b"", b"octet", b"octets!", b"x" * 3 * CHUNK])
def test_a_file_that_changed_is_an_error(report: Path, change: bytes) -> None:
    """A file with another size than when it was attached is refused, and never read on."""
    attachment = Attachment(report)
    report.write_bytes(change)
    seen = 0
    with pytest.raises(AttachmentError, match="had 6 bytes when it was attached"):  # noqa: PT012 - counts until the error
        for block in attachment.chunks():
            seen += len(block)
    assert seen <= attachment.size


def test_a_file_that_vanished_is_an_error(report: Path) -> None:
    """A file that was deleted after it was attached is an AttachmentError."""
    attachment = Attachment(report)
    report.unlink()
    with pytest.raises(AttachmentError, match="cannot read"):
        octets(attachment)


@pytest.mark.parametrize(
    ("content_id", "value", "name", "media_type"),
    [
        ("logo", PNG, "logo.png", "image/png"),
        ("logo.png", PNG, "logo.png", "image/png"),
        ("logo", SVG, "logo.svg", "image/svg+xml"),
        ("logo", WEBP, "logo.webp", "image/webp"),
        ("logo", b"GIF89a", "logo.gif", "image/gif"),
        ("logo", b"\xff\xd8\xff\xe0", "logo.jpg", "image/jpeg"),
        ("logo.png", b"unknown", "logo.png", "image/png"),
        ("logo", ("x.png", b"unknown"), "x.png", "image/png"),
        ("logo", Attachment(b"x", "y.png"), "y.png", "image/png"),
    ],
)
def test_an_inline_image_is_found_by_its_key(
    content_id: str, value: Attachment, name: str, media_type: str
) -> None:
    """The key of an inline image is its content id, and its octets say what it is."""
    (image,) = read_inline_images({content_id: value})
    assert (image.content_id, image.name, image.media_type) == (content_id, name, media_type)


@pytest.mark.parametrize(
    ("content_id", "value"),
    [
        ("", PNG),
        ("a b", PNG),
        ("a>\r\nX: y", PNG),
        ("a\x00", PNG),
        ("\u00fc", PNG),
        ("x" * 201, PNG),
        ("=?utf-8?q?x?=", PNG),
        ("logo", b"unknown"),
        ("logo", ("x.pdf", b"x")),
    ],
)
def test_what_is_no_inline_image(content_id: str, value: bytes) -> None:
    """A content id that breaks its header, and a file that is no image, are refused."""
    with pytest.raises(AttachmentError):
        read_inline_images({content_id: value})


def test_nothing_attached() -> None:
    """None and empty containers attach nothing."""
    assert read_attachments(None) == read_attachments([]) == read_attachments({}) == ()
    assert read_inline_images(None) == read_inline_images({}) == ()


def test_an_attachment_survives_a_pickle(report: Path) -> None:
    """An attachment comes back from another process as it was."""
    for attachment in (Attachment(report), Attachment(b"x", "a.txt", content_id="c")):
        assert pickle.loads(pickle.dumps(attachment)) == attachment  # noqa: S301 - our own octets
