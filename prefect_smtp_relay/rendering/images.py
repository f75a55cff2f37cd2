"""The width of inline images: Outlook and Thunderbird do not keep to ``max-width``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from urllib.parse import unquote

MAX_WIDTH = 534
"""Pixels in the card: 600 without its padding and border."""

_IMAGE = re.compile(r'<img src="cid:([^"]+)"')


def fit_images(page: str, widths: Mapping[str, int]) -> str:
    """Give inline images their width, or the card's where they are wider.

    Args:
        page: HTML as this package writes it.
        widths: by content id, in pixels; 0 where unknown.
    """

    def fit(image: re.Match[str]) -> str:
        content_id = unescape(image[1])
        width = widths.get(content_id) or widths.get(unquote(content_id))
        return f'{image[0]} width="{min(width, MAX_WIDTH)}"' if width else image[0]

    return _IMAGE.sub(fit, page)
