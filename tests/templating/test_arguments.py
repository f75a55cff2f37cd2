"""With a context, every text argument of a mail is a template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prefect_smtp_relay.compose.draft import draft
from prefect_smtp_relay.compose.options import MailOptions
from prefect_smtp_relay.exceptions import InvalidMailbox, InvalidTemplate
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.settings import SmtpRelaySettings

from .filling import fill


@pytest.mark.parametrize(
    ("argument", "template", "filled"),
    [
        ("idempotency_key", "INC-{{ n }}", "INC-7"),
        ("thread", "INC-{{ n }}", "INC-7"),
        ("importance", "{{ 'high' if n > 5 else 'normal' }}", "high"),
        ("preheader", "{{ n }} hosts", "7 hosts"),
        ("custom_logo_url", "https://x.example/{{ team }}.png", "https://x.example/pay.png"),
        ("list_unsubscribe", "https://x.example/u?t={{ team }}", "https://x.example/u?t=pay"),
        ("list_unsubscribe", ["off+{{ team }}@x.example"], ["off+pay@x.example"]),
        ("categories", "incident,{{ team }}", "incident,pay"),
        ("labels", ["SEV1", "{{ team }}"], ["SEV1", "pay"]),
        ("categories", ("incident", "{{ team }}"), ("incident", "pay")),
        ("headers", {"X-{{ team }}": "{{ n }}"}, {"X-pay": "7"}),
        ("headers", {"Sender": "{{ name }} <a@x.example>"}, {"Sender": '"Lee, Ann" <a@x.example>'}),
        ("attachments", ["out/{{ team }}.csv"], ["out/pay.csv"]),
        ("attachments", [("{{ team }}.csv", b"{{ n }}")], [("pay.csv", b"{{ n }}")]),
        ("attachments", {"{{ team }}.csv": b"x"}, {"pay.csv": b"x"}),
        ("attachments", [Path("{{ n }}.csv")], [Path("{{ n }}.csv")]),
        ("inline_images", {"graph-{{ n }}": "{{ n }}.png"}, {"graph-7": "7.png"}),
        ("reverse_path", "bounces+{{ n }}@x.example", Mailbox("bounces+7", "x.example")),
        ("from_", "{{ name }} <a@x.example>", Mailbox("a", "x.example", "Lee, Ann")),
        ("from_", "a@x.example", "a@x.example"),
        ("from_", Mailbox("a", "x.example"), Mailbox("a", "x.example")),
        ("from_", "{{ none }}", ""),
        ("from_", None, None),
        ("include_footer", True, True),
    ],
)
def test_a_text_argument_is_filled_in(argument: str, template: Any, filled: Any) -> None:
    """Keys, names, headers and file names are templates as subject and body are."""
    context = {"n": 7, "team": "pay", "name": "Lee, Ann", "none": None}
    assert getattr(fill(**{argument: template}, context=context), argument) == filled


def test_two_long_values_make_two_keys() -> None:
    """A value is cut in a subject, but nowhere that two would become one."""
    values = ["x" * 600 + end for end in "ab"]
    keys = {fill(idempotency_key="{{ v }}", context={"v": v}).idempotency_key for v in values}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("argument", "template", "text"),
    [
        ("thread", "{{ x }}", r"^thread, line 1: 'x' is not in the context"),
        ("headers", {"X-A": "{{ x }}"}, r"^headers\['X-A'\], line 1: 'x' is not in the context"),
        ("attachments", [("{{ x }}", b"")], r"^attachments, line 1: 'x' is not in the context"),
        ("from_", "{{ x }}", r"^from_, line 1: 'x' is not in the context"),
    ],
)
def test_the_argument_is_named(argument: str, template: Any, text: str) -> None:
    """An error of a template says which argument it is in."""
    with pytest.raises(InvalidTemplate, match=text):
        fill(**{argument: template})


def test_a_value_makes_no_second_sender() -> None:
    """The sender is one mailbox, whatever is in the value."""
    with pytest.raises(InvalidMailbox, match=r"^from_: is 2 mailboxes\. Name one\."):
        fill(from_="{{ v }}", context={"v": "a@x.example, boss@corp.example"})
    with pytest.raises(InvalidMailbox, match=r"^from_: .* is not one e-mail address"):
        fill(from_="A <{{ v }}>", context={"v": "a@x.example, boss@corp.example"})


def test_a_mail_is_filled_in_as_a_whole() -> None:
    """Two incidents have two threads, keys and names; without a context, braces are braces."""
    options: MailOptions = {"thread": "{{ n }}", "headers": {"X-N": "{{ n }}"}}
    mails = [
        draft(
            {"to": "a@x.example", "subject": "s", "body": "b", "context": context, **options},
            SmtpRelaySettings(),
        )
        for context in ({"n": 1}, {"n": 2}, None)
    ]
    assert [mail.thread for mail in mails] == ["1", "2", "{{ n }}"]
    assert [dict(mail.headers)["X-N"] for mail in mails] == ["1", "2", "{{ n }}"]
