"""Recipients as templates: an entry may expand to several mailboxes, or to none."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_smtp_relay.exceptions import InvalidMailbox, InvalidTemplate
from prefect_smtp_relay.mail.mailbox import AddressInput, Mailbox
from prefect_smtp_relay.templating.context import read_context
from prefect_smtp_relay.templating.recipients import fill_recipients

PEOPLE = [
    {"name": "Lee, Ann", "email": "ann@x.example"},
    {"name": "Bob", "email": ""},
    {"name": 'Zoë "Z" <boss@corp.example>', "email": "zoe@x.example"},
    {"name": "Ann", "email": "ANN@X.example"},
]
CONTEXT = {
    "people": PEOPLE,
    "emails": ["a@x.example", "b@x.example"],
    "none": None,
    "ann": PEOPLE[0],
}


def expand(value: AddressInput) -> list[str]:
    """Give what a mail would go to."""
    filled = fill_recipients(value, read_context(CONTEXT), "to")
    return [str(mailbox) for mailbox in Mailbox.parse_list(filled)]


@pytest.mark.parametrize(
    ("value", "mailboxes"),
    [
        ("{{ people | map(attribute='email') | join(',') }}", ["ann@x.example", "zoe@x.example"]),
        ("{{ people | map(attribute='email') }}", ["ann@x.example", "zoe@x.example"]),
        (["{{ emails }}", "c@x.example"], ["a@x.example", "b@x.example", "c@x.example"]),
        ("c@x.example, {{ emails | last }}", ["c@x.example", "b@x.example"]),
        ("{{ none }}", []),
        ("{{ none }}{{ emails }}", ["a@x.example", "b@x.example"]),
        (["{{ none }}", " ", "{{ '' }} <{{ '' }}>"], []),
        ("{{ ann.name }} <{{ ann.email }}>", ['"Lee, Ann" <ann@x.example>']),
        ('"{{ ann.name }}" <{{ ann.email }}>', ['"Lee, Ann" <ann@x.example>']),
        (
            "{% for p in people %}{{ p.name }} <{{ p.email }}>, {% endfor %}",
            [
                '"Lee, Ann" <ann@x.example>',
                '"Zoë \\"Z\\" <boss@corp.example>" <zoe@x.example>',
            ],
        ),
        ("on-call-{{ 'db' }}@x.example", ["on-call-db@x.example"]),
        (Mailbox("a", "x.example"), ["a@x.example"]),
        ([Mailbox("a", "x.example"), "{{ emails }}"], ["a@x.example", "b@x.example"]),
        (None, []),
    ],
)
def test_an_entry_expands(value: Any, mailboxes: list[str]) -> None:
    """Lists and joined texts become several, empty ones vanish, duplicates go once."""
    assert expand(value) == mailboxes


@pytest.mark.parametrize(
    "value", ["a@x.example, boss@corp.example", "x@y.example> <boss@corp.example", "a b@x.example"]
)
@pytest.mark.parametrize("entry", ["Ann <{{ v }}>", "<{{ v }}>", "a{{ v }}"])
def test_a_value_within_an_entry_stays_one_mailbox(entry: str, value: str) -> None:
    """Nobody gains a recipient by the text of a value."""
    with pytest.raises(InvalidMailbox, match=r"^to: .* is not one e-mail address"):
        fill_recipients(entry, read_context({"v": value}), "to")


@pytest.mark.parametrize(("value", "text"), [("{{ x }}", "^to, line 1: 'x' is not in the context")])
def test_a_missing_variable(value: str, text: str) -> None:
    """The error names the field."""
    with pytest.raises(InvalidTemplate, match=text):
        expand(value)


@pytest.mark.parametrize("value", [5, b"a@b.org", {"a@b.org": 1}, iter(["a@b.org"]), [5], [None]])
def test_what_is_no_list_of_mailboxes_is_refused_as_without_a_context(value: Any) -> None:
    """The same error as for a recipient argument that is no template."""
    with pytest.raises(InvalidMailbox, match=r"^to: ") as caught:
        Mailbox.parse_list(fill_recipients(value, read_context({}), "to"))
    with pytest.raises(InvalidMailbox) as plain:
        Mailbox.parse_list(value, "to")
    assert str(caught.value) == str(plain.value)


def test_what_comes_out_must_be_a_mailbox() -> None:
    """The error shows the text that came out."""
    with pytest.raises(InvalidMailbox, match=r"^to: 'nobody' is not an e-mail address"):
        fill_recipients("{{ x }}", read_context({"x": "nobody"}), "to")
