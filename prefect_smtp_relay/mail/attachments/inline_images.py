"""Whether a body and its inline images know each other (RFC 2392)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from urllib.parse import unquote

from prefect_smtp_relay.exceptions import AttachmentError, nearest
from prefect_smtp_relay.mail.attachments.attachment import Attachment

_REFERRING = frozenset({"src", "href", "background"})
_IN_STYLE = re.compile(r"url\(\s*['\"]?(cid:[^'\")]*)", re.IGNORECASE)


def check_inline_images(
    html: str,
    inline_images: Iterable[Attachment],
    attachments: Iterable[Attachment],
    *,
    must_all_show: bool,
) -> None:
    """Refuse a body that shows an image which is not there, and an image that is shown nowhere.

    Args:
        html: the body as it is shown.
        inline_images: those that it should show.
        attachments: which it may show too, by their content ids.
        must_all_show: whether an image that the HTML does not refer to is an error too. HTML of
            the caller's own may show it by a style sheet, or by a comment for one program.

    Raises:
        AttachmentError: naming the content ids and the fix.
    """
    images = [image.content_id for image in inline_images]
    known = {*images, *(file.content_id for file in attachments)} - {""}
    shown = _content_ids_in(html)
    for content_id in shown:
        if content_id not in known and unquote(content_id) not in known:
            raise AttachmentError(
                f"the body shows cid:{content_id}, and there is no such image (there are:"
                f" {', '.join(images) or 'none'})",
                _hint(content_id, images),
                field="inline_images",
            )
    for image in images if must_all_show else ():
        if image not in {*shown, *map(unquote, shown)}:
            raise AttachmentError(
                f"the body shows {image!r} nowhere",
                f"Write ![...](cid:{image}) into it, or pass the image in attachments.",
                field="inline_images",
            )


def _hint(content_id: str, images: list[str]) -> str:
    if near := nearest(content_id, images):
        return f"Did you mean cid:{near}?"
    return f"Pass inline_images={{{content_id!r}: ...}}, or remove it from the body."


def _content_ids_in(html: str) -> list[str]:
    if "cid:" not in html.lower():
        return []
    reader = _References()
    reader.feed(html)
    reader.close()
    return list(dict.fromkeys(reader.found))


class _References(HTMLParser):
    """Collects the content ids that the tags of a page refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the attributes; the text between tags refers to nothing."""
        del tag
        for name, value in attrs:
            urls = _IN_STYLE.findall(value or "") if name == "style" else [value or ""]
            if name in _REFERRING or name == "style":
                self.found += [url.strip()[4:] for url in urls if _is_content_id(url)]


def _is_content_id(url: str) -> bool:
    return url.strip().lower().startswith("cid:")
