import pytest

from prefect_smtp_relay.exceptions import InvalidMailbox, ProtectedDomain
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.sender import SenderPolicy, resolve_sender

POLICY = SenderPolicy.protecting(["@Example.org.", "b\u00fccher.example", "\u0909\u0926\u093e.in"])


@pytest.mark.parametrize(
    "mailbox",
    [
        *("ceo@example.org", "ceo@EXAMPLE.ORG", "ceo@example.org.", "ceo@mail.example.org"),
        *("ceo@\uff45xample.org", "ceo@exam\u00adple.org", "ceo@example\u3002org\u00ad"),
        *("ceo@B\u00dcCHER.example", "ceo@bu\u0308cher.example", "ceo@xn--bcher-kva.example"),
        *("ceo@XN--BCHER-KVA.example", "ceo@a.b.b\u00fccher.example."),
    ],
)
def test_a_protected_domain_is_refused_in_any_spelling(mailbox: str) -> None:
    """Subdomains, upper case, trailing dots and IDNA spellings of a domain are that domain."""
    with pytest.raises(ProtectedDomain, match=r"^reply_to: .* uses the protected domain"):
        POLICY.check(Mailbox.parse(mailbox), "reply_to")


@pytest.mark.parametrize(
    "display_name",
    [
        *("ceo@example.org", "The CEO (ceo@Example.ORG)", "<ceo@mail.example.org>", "@example.org"),
        *("ceo @ example.org", "ceo\uff20example.org", "ceo\ufe6bexample.org", "ceo@example.org."),
        *(
            "ceo@exam\u200bple.org",
            "ceo@\u2060example.org",
            "ceo@exa\ufe0fmple.org",
            "a@b@example.org",
        ),
        *(
            "ceo@\u3164example.org",
            "ceo@example\u3002org",
            "ceo@example\uff61org",
            "ceo@example\uff0eorg",
        ),
        *("ceo@b\u00fccher.example", "ceo@bu\u0308cher.example", "ceo@xn--bcher-kva.example"),
        *(
            "ceo@example.org!",
            "ceo@example.org_",
            "'ceo@example.org'",
            "ceo@.example.org",
            "ceo@-example.org",
        ),
        *(
            "ceo@\u0909\u0926\u093e.in",
            "x@y.z ceo@example.org",
            "\u202eceo@example.org",
            "ceo@\uff45xample.org",
        ),
    ],
)
def test_a_display_name_may_not_show_a_protected_address(display_name: str) -> None:
    """An address in a protected domain is refused in a display name, however it is typed."""
    with pytest.raises(ProtectedDomain):
        POLICY.check(Mailbox("eve", "elsewhere.example", display_name), "from_")


def test_a_quoted_local_part_may_not_show_a_protected_address() -> None:
    """An address within a quoted local part reads like the sender in many programs."""
    with pytest.raises(ProtectedDomain):
        POLICY.check(Mailbox.parse('"ceo@example.org"@elsewhere.example'), "from_")


@pytest.mark.parametrize(
    "mailbox",
    [
        *("ceo@notexample.org", "ceo@example.org.example", "ceo@xample.org", "ceo@org"),
        *("example.org <ceo@other.example>", "a@notexample.org <ceo@other.example>"),
        *('"at @ all" <a@other.example>', '"@" <a@other.example>', "b\u00fccher <a@other.example>"),
        *("a@example.organic <ceo@other.example>", "ceo@[192.0.2.1]"),
    ],
)
def test_other_domains_pass(mailbox: str) -> None:
    """A domain that merely ends in the same letters, or is without an @, is not protected."""
    POLICY.check(Mailbox.parse(mailbox), "from_")


def test_nothing_is_protected_by_default() -> None:
    """Without protected domains every sender passes."""
    SenderPolicy().check(Mailbox("ceo", "example.org", "ceo@example.org"), "from_")


def test_a_bad_protected_domain_is_refused() -> None:
    """A setting that protects nothing because of a typing error must not pass."""
    with pytest.raises(ValueError, match="is not a domain name"):
        SenderPolicy.protecting(["*.example.org"])


def test_the_action_goes_before_every_default() -> None:
    """The sender that the action names is taken, and no default is read."""
    requested = Mailbox("a", "x.org")
    assert resolve_sender(requested, ["no address", "b"]) is requested


def test_the_first_candidate_that_is_set_is_taken() -> None:
    """Empty candidates are passed over in their order."""
    assert resolve_sender(None, ["", " ", "B <b@x.org>", "c@x.org"]) == Mailbox("b", "x.org", "B")
    assert resolve_sender(None, ["", "c@x.org"]) == Mailbox("c", "x.org")


def test_nobody_names_a_sender() -> None:
    """Without any candidate there is no mailbox, and the caller decides what that means."""
    assert resolve_sender(None, ["", " "]) is None
    assert resolve_sender(None, []) is None


def test_a_configured_sender_that_is_no_address_is_an_error() -> None:
    """A block's from_address with a typing error is never passed over."""
    with pytest.raises(InvalidMailbox, match=r"^from_address: "):
        resolve_sender(None, ["ops.example.org", "c@x.org"])
