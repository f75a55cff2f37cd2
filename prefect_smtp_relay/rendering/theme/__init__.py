"""The look of a mail as files: templates, and one stylesheet that is written into the elements."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

from css_inline import CSSInliner
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

MAX_INLINED = 102_400
"""Bytes after which Gmail cuts a mail off. A page that would get longer keeps its stylesheet in one
place: written into each element, it makes twice as much of, for example, a table of small cells."""

_AT_RULES = re.compile(r"^(?=@)", re.MULTILINE)


def fill(template: str, **values: Any) -> str:
    """Fill in a template; text is escaped, `markupsafe.Markup` is used as it is.

    Args:
        template: the file's name without ``.html``.
        values: all that the template names.
    """
    return _environment().get_template(f"{template}.html").render(values)


def fill_page(**values: Any) -> str:
    """Fill in ``page.html``, and write the stylesheet into its elements."""
    inlined, kept = _stylesheet()
    page = fill("page", css=kept, **values)
    if len(page) <= MAX_INLINED:
        page = _inliner().inline(page)
        if len(page.encode()) <= MAX_INLINED:
            return page
    return fill("page", css=inlined + kept, **values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(__package__, ""),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
    )


@cache
def _inliner() -> CSSInliner:
    inlined, _ = _stylesheet()
    return CSSInliner(extra_css=inlined, keep_style_tags=True, load_remote_stylesheets=False)


@cache
def _stylesheet() -> tuple[Markup, Markup]:
    """Part what is written into the elements from what only a ``<style>`` can say."""
    text = files(__package__).joinpath("mail.css").read_text(encoding="utf-8")
    inlined, *kept = _AT_RULES.split(re.sub(r"/\*.*?\*/\n*", "", text, flags=re.DOTALL))
    return Markup(inlined), Markup("".join(kept).strip())  # noqa: S704 - our own file
