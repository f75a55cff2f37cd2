"""Labels of a message for the statistics of a relay that keeps some, as SendGrid does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from prefect_smtp_relay.exceptions import MessageError

CategoriesInput = str | Collection[str] | None
"""A text with commas between the categories, or a list."""

MOST_CATEGORIES = 10
LONGEST_CATEGORY = 255
"""Characters. Both, and the rules below, are those of SendGrid's page "Errors" of Mail Send; they
hold for every relay, so that a flow may go through SMTP today and through SendGrid tomorrow."""


def read_categories(value: CategoriesInput) -> tuple[str, ...]:
    """Read the ``categories`` argument.

    Args:
        value: text with commas between the categories, or a list of texts.

    Returns:
        The categories, without blanks around them, in their order.

    Raises:
        MessageError: there are too many, or one is blank, too long, not ASCII, there twice, or no
            text; the error names ``categories``.
    """
    if value is None or value == "":
        return ()
    given: object = value.split(",") if isinstance(value, str) else value
    if isinstance(given, (bytes, Mapping)) or not isinstance(given, Collection):
        raise MessageError(
            f"categories: expected a list of texts, got {type(value).__name__}; write"
            " categories=['incident']."
        )
    categories = tuple(map(_check_category, given))
    check_count(len(categories))
    _refuse_repeated(categories)
    return categories


def check_count(count: int, whose: str = "") -> None:
    """Refuse more categories than a mail may have.

    Args:
        count: of all categories of the mail.
        whose: what else is among them, for the error.

    Raises:
        MessageError: there are too many.
    """
    if count > MOST_CATEGORIES:
        raise MessageError(
            f"categories: {count}{whose}; a mail has up to {MOST_CATEGORIES} of up to"
            f" {LONGEST_CATEGORY} characters. Take some out."
        )


def _check_category(value: object) -> str:
    if not isinstance(value, str):
        raise MessageError(f"categories: expected texts, got {type(value).__name__}.")
    category = value.strip()
    if not category:
        raise MessageError("categories: one of them is blank; take it out.")
    if len(category) > LONGEST_CATEGORY:
        raise MessageError(
            f"categories: one has {len(category)} characters, up to {LONGEST_CATEGORY} are"
            " allowed; shorten it."
        )
    if not (category.isascii() and category.isprintable()):
        raise MessageError(
            f"categories: {category!r} holds more than printable ASCII; write it without."
        )
    return category


def _refuse_repeated(categories: Iterable[str]) -> None:
    seen: set[str] = set()
    for category in categories:
        if category in seen:
            raise MessageError(f"categories: {category!r} is there twice; take one out.")
        seen.add(category)
