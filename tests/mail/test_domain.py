import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.mail.domain import (
    format_address_literal,
    is_same_or_subdomain,
    to_a_labels,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.org", "example.org"),
        ("EXAMPLE.Org.", "example.org"),
        ("B\u00dcCHER.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("b\u00fccher.example.", "xn--bcher-kva.example"),
        ("xn--bcher-kva.EXAMPLE", "xn--bcher-kva.example"),
        ("\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45.org", "example.org"),
        ("b\u00fccher\u3002example", "xn--bcher-kva.example"),
        ("stra\u00dfe.example", "xn--strae-oqa.example"),
        ("exam\u00adple.org", "example.org"),
        ("a_b.example", "a_b.example"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("[IPv6:2001:DB8::1]", "[IPv6:2001:db8::1]"),
        ("[::1]", "[IPv6:::1]"),
    ],
)
def test_spellings_of_a_domain_become_one(name: str, expected: str) -> None:
    """Every spelling of a domain name becomes the same A-labels."""
    assert to_a_labels(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "a..b", ".a", "-a.org", "a-.org", "a b.org", "a\r\nb.org", "a\x00.org"),
        *("a" * 64 + ".org", "a." * 130 + "org", "\u00fc" * 70 + ".org", "https://a.org", "a:25"),
        *("[192.0.2.256]", "[]", "[a.org]", "[IPv6:192.0.2.1]", "[IPv6:1::2%eth0]", "\ud800.org"),
        *("xn--", "xn--a.org", "xn--bcher-kva-.org", "xn--example-.org", "mail.xn--999999.org"),
        *("xn--bcher-.org", "xn--\u00fc.org", "xn--i-7iq.ws"),
        *("[fe80::1%\r\nRCPT TO:<x@y>]", "a@b.org", "\u00fc\u2028.org"),
    ],
)
def test_what_is_no_domain_is_refused(name: str) -> None:
    """What is no domain name is a ValueError, and its text ends without a full stop."""
    with pytest.raises(ValueError, match=r"[^.]$"):
        to_a_labels(name)


@given(st.text())
def test_any_text_is_a_domain_or_a_value_error(text: str) -> None:
    """A-labels are ASCII in lower case without spaces, and reading them again changes nothing."""
    try:
        labels = to_a_labels(text)
    except ValueError:
        return
    assert labels.isascii()
    assert labels.isprintable()
    assert " " not in labels
    assert to_a_labels(labels) == labels


def test_an_address_literal_has_no_zone() -> None:
    """The zone of a link-local address means nothing to the relay."""
    assert format_address_literal("fe80::1%eth0") == "[IPv6:fe80::1]"
    assert format_address_literal("192.0.2.1") == "[192.0.2.1]"


def test_a_subdomain_ends_at_a_dot() -> None:
    """A domain that merely ends in the same letters is another domain."""
    assert is_same_or_subdomain("example.org", "example.org")
    assert is_same_or_subdomain("mail.example.org", "example.org")
    assert not is_same_or_subdomain("notexample.org", "example.org")
    assert not is_same_or_subdomain("org", "example.org")
