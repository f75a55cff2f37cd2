"""Labels of a message for the statistics of a relay that keeps some, as SendGrid does."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from prefect_smtp_relay.exceptions import MessageError

CategoriesInput = str | Collection[str] | None
"""A text with commas between the categories, or a list."""

MAX_CATEGORIES = 10
MAX_CATEGORY_LENGTH = 255
"""Characters. Both, and the rules below, are those of SendGrid's page "Errors" of Mail Send; they
apply to every relay, so that a flow may go through SMTP today and through SendGrid tomorrow."""


def read_categories(value: CategoriesInput) -> tuple[str, ...]:
    """Read the ``categories`` argument.

    Args:
        value: text with commas between the categories, or a list of texts.

    Returns:
        The categories, without spaces around them, in their order.

    Raises:
        MessageError: there are too many, or one is empty, too long, not ASCII, there twice, or not
            text; the error names ``categories``.
    """
    if value is None or value == "":
        return ()
    given: object = value.split(",") if isinstance(value, str) else value
    if isinstance(given, (bytes, Mapping)) or not isinstance(given, Collection):
        kind = type(value).__name__
        raise _error(f"expected a list of texts, got {kind}", "Write categories=['incident'].")
    categories = tuple(map(_check_category, given))
    check_count(len(categories))
    for number, category in enumerate(categories):
        if category in categories[:number]:
            raise _error(f"{category!r} is there twice", "Remove one of them.")
    return categories


def check_count(count: int, whose: str = "") -> None:
    """Refuse more categories than a mail may have.

    Args:
        count: of all categories of the mail.
        whose: what else is among them, for the error.

    Raises:
        MessageError: there are too many.
    """
    if count > MAX_CATEGORIES:
        raise _error(
            f"{count}{whose}, and a mail has up to {MAX_CATEGORIES} of up to"
            f" {MAX_CATEGORY_LENGTH} characters",
            "Remove some.",
        )


def _check_category(value: object) -> str:
    if not isinstance(value, str):
        raise _error(f"expected texts, got {type(value).__name__}")
    category = value.strip()
    if not category:
        raise _error("one of them is empty", "Remove it.")
    if len(category) > MAX_CATEGORY_LENGTH:
        raise _error(
            f"one has {len(category)} characters, and up to {MAX_CATEGORY_LENGTH} are allowed",
            "Shorten it.",
        )
    if not (category.isascii() and category.isprintable()):
        raise _error(f"{category!r} contains more than printable ASCII", "Use letters and digits.")
    return category


def _error(problem: str, fix: str = "") -> MessageError:
    return MessageError(problem, fix, field="categories")
