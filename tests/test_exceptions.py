import pickle
import re
from collections.abc import Iterator

import pytest

from prefect_smtp_relay import exceptions
from prefect_smtp_relay.exceptions import (
    DeliveryError,
    EmailError,
    OutcomeUnknown,
    PermanentFailure,
    RecipientsRefused,
    TransientFailure,
)
from prefect_smtp_relay.mail.receipt import Refusal


def tree(root: type[EmailError] = EmailError) -> Iterator[type[EmailError]]:
    """Walk every class of the tree that the module defines."""
    yield root
    for child in root.__subclasses__():
        if child.__module__ == exceptions.__name__:
            yield from tree(child)


CLASSES = sorted(set(tree()), key=lambda cls: cls.__name__)
DELIVERY = [cls for cls in CLASSES if issubclass(cls, DeliveryError)]
TRANSIENT = {
    *(
        "TransientFailure",
        "UnknownHost",
        "ConnectionFailed",
        "TimedOut",
        "RecipientsDeferred",
        "OutcomeUnknown",
    ),
    *("RelayLookupFailed", "ReceiptLookupFailed"),
}
REFUSED_LATER = Refusal(code=450, text="busy")
REFUSED = Refusal(code=550, enhanced_code="5.1.1", text="no such user")


def copied(error: EmailError) -> EmailError:
    """Send an error to another process and back."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own octets
    assert isinstance(copy, EmailError)
    return copy


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_is_built_from_one_text(cls: type[EmailError]) -> None:
    """Prefect's JSON serializer stores an error's text, and builds the class from it again."""
    error = cls("what happened")
    assert str(error) == "what happened"
    assert str(cls(str(error))) == str(error)


@pytest.mark.parametrize("cls", DELIVERY)
@pytest.mark.parametrize(("relay", "named"), [("smtp/corporate", "smtp/corporate, "), ("smtp", "")])
def test_a_delivery_error_names_the_block(cls: type[DeliveryError], relay: str, named: str) -> None:
    """The block is beside the host, in the text and the repr, where it has a name."""
    error = cls("smtp://mx.example.org:587").copy(relay=relay)
    assert str(copied(error)) == f"{named}smtp://mx.example.org:587"
    assert repr(error) == f"{cls.__name__}: {named}smtp://mx.example.org:587"


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_survives_a_pickle(cls: type[EmailError]) -> None:
    """An error comes back with its type, text, arguments and answer to "try again?"."""
    error = cls("what happened")
    copy = copied(error)
    assert type(copy) is cls
    assert (str(copy), copy.args) == (str(error), error.args)
    assert copy.transient is error.transient


@pytest.mark.parametrize("cls", [cls for cls in DELIVERY if cls is not RecipientsRefused])
def test_a_delivery_error_keeps_its_details(cls: type[DeliveryError]) -> None:
    """Transport, reply code, enhanced status code and stage survive, and the text shows them."""
    error = cls("smtp://mx.example.org:587", "try later", 451, "4.7.1", "RCPT")
    copy = copied(error)
    assert isinstance(copy, DeliveryError)
    assert str(copy) == str(error) == "smtp://mx.example.org:587 (RCPT): try later"
    assert (copy.transport, copy.detail) == ("smtp://mx.example.org:587", "try later")
    assert (copy.code, copy.enhanced_code, copy.stage) == (451, "4.7.1", "RCPT")


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_is_named_in_the_tree(cls: type[EmailError]) -> None:
    """The module's docstring draws each class, under its parent."""
    drawn = {
        name: indent
        for indent, name in re.findall(
            r"^( *(?:\|  | )*[|`]- |    )(\w+)", exceptions.__doc__ or "", re.M
        )
    }
    assert cls.__name__ in drawn
    if cls is not EmailError:
        parent = next(base for base in cls.__bases__ if issubclass(base, EmailError))
        assert len(drawn[cls.__name__]) == len(drawn[parent.__name__]) + 3


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_says_whether_to_try_again(cls: type[EmailError]) -> None:
    """Only what passes by itself is transient."""
    assert cls("what happened").transient is (cls.__name__ in TRANSIENT)


def test_an_unknown_outcome_is_neither_failure() -> None:
    """What may have been accepted is no failure of either kind, yet it is tried again."""
    assert not issubclass(OutcomeUnknown, (TransientFailure, PermanentFailure))
    assert OutcomeUnknown("t").transient


@pytest.mark.parametrize(
    ("refusals", "transient"),
    [
        ({"a@x.org": REFUSED_LATER, "b@x.org": REFUSED_LATER}, True),
        ({"a@x.org": REFUSED_LATER, "b@x.org": REFUSED}, False),
        ({"a@x.org": REFUSED}, False),
        ({}, False),
    ],
)
def test_refused_recipients_are_tried_again_only_if_all_may_pass(
    refusals: dict[str, Refusal], transient: bool
) -> None:
    """One permanent refusal makes the whole error permanent, and all survives a pickle."""
    error = RecipientsRefused("smtp://mx", refusals)
    copy = copied(error)
    assert isinstance(copy, RecipientsRefused)
    assert copy.refusals == refusals
    assert str(copy) == str(error)
    assert copy.transient is error.transient is transient
    assert all(address in str(error) for address in refusals)
