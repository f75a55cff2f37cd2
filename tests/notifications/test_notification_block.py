"""What the "Notification by Email" block takes, and what it says about the rest."""

from __future__ import annotations

import pytest
from prefect.blocks.abstract import NotificationBlock
from pydantic import ValidationError

from prefect_smtp_relay import SendAnEmail


def test_only_the_recipients_are_required() -> None:
    """The block is made of plain texts, of which all but one may be blank."""
    block = SendAnEmail(to="ann@example.org")
    assert isinstance(block, NotificationBlock)
    assert block.model_dump(exclude={"to"}, exclude_none=True) == {
        **dict.fromkeys(("cc", "bcc", "from_address", "reply_to", "subject_prefix"), ""),
        **dict.fromkeys(("thread", "tone", "labels", "custom_logo_url", "relay"), ""),
        "group_within": "",
        "markdown": False,
        "include_header": True,
        "include_footer": True,
        "block_type_slug": "send-an-email",
    }


def test_its_names_in_the_ui() -> None:
    """Prefect shows the type as Notification by Email, and can notify through it."""
    assert SendAnEmail.get_block_type_name() == "Notification by Email"
    assert SendAnEmail.get_block_type_slug() == "send-an-email"
    assert "notify" in SendAnEmail.get_block_capabilities()
    assert all(field.title for field in SendAnEmail.model_fields.values())


def test_recipients_are_kept_in_their_plain_spelling() -> None:
    """Names, commas, blanks and line ends between the recipients may be typed in any way."""
    block = SendAnEmail(to=' "Ann A." <ann@EXAMPLE.org>,,bob@example.org ', cc="c@example.org,\n")
    assert block.to == "Ann A. <ann@example.org>, bob@example.org"
    assert block.cc == "c@example.org"


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_is_the_default(blank: str | None) -> None:
    """What the UI sends for a cleared field is the same as no value."""
    values = dict.fromkeys(SendAnEmail.model_fields, blank) | {"to": "ann@example.org"}
    assert SendAnEmail.model_validate(values) == SendAnEmail(to="ann@example.org")


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("to", "", "to\n  Value error, is empty. Write an address"),
        ("to", ",", "to\n  Value error, is empty. Write an address"),
        ("to", "ann@example.org, bob", "bob' is not an e-mail address: it has no @"),
        ("cc", "ann@", "cc\n  Value error, 'ann@' is not an e-mail address"),
        ("bcc", "a b@example.org", "bcc\n  Value error, 'a b@example.org' is not"),
        ("from_address", "ops", "from_address\n  Value error, 'ops' is not an e-mail address"),
        ("reply_to", "ops", "reply_to\n  Value error, 'ops' is not an e-mail address"),
        ("relay", "smtp", "relay\n  Value error, 'smtp' is not a relay. Use smtp/NAME"),
        ("relay", "mx/eu", "relay\n  Value error, 'mx/eu' is not a relay. Use smtp/NAME"),
        ("subject", "x", "subject: SendAnEmail has no such field. Did you mean 'subject_prefix'?"),
        ("custom_logo_url", "x", "custom_logo_url\n  Value error, 'x' is not a web address"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field_and_the_fix(
    field: str, value: str, text: str
) -> None:
    """Saving and loading say which field is wrong, and what to write instead."""
    with pytest.raises(ValidationError) as raised:
        SendAnEmail.model_validate({"to": "ann@example.org", field: value})
    assert text in str(raised.value)


@pytest.mark.parametrize("relay", ["smtp/eu", "sendgrid/main", "outbox", " smtp/eu "])
def test_a_relay_is_named_as_for_send_an_email(relay: str) -> None:
    """A connected block or the outbox; whether it exists is seen when mail goes."""
    assert SendAnEmail(to="ann@example.org", relay=relay).relay == relay.strip()


def test_a_subject_prefix_is_one_line() -> None:
    """Line ends become blanks."""
    assert SendAnEmail(to="a@example.org", subject_prefix=" [x]\r\n y ").subject_prefix == "[x] y"
