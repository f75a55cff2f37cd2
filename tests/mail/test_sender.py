from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.exceptions import InvalidMailbox, ProtectedDomain
from prefect_smtp_relay.mail.mailbox import Mailbox
from prefect_smtp_relay.mail.message import Draft, compose
from prefect_smtp_relay.mail.mime.parse import read_message
from prefect_smtp_relay.mail.mime.render import render_mime
from prefect_smtp_relay.mail.sender import SenderPolicy, resolve_sender
from tests.mail.strategies import ANY_TEXT

POLICY = SenderPolicy.protecting(
    ["@Example.org.", "ex-ample.com", "b\u00fccher.example", "\u0909\u0926\u093e.in"]
)


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


IGNORABLE = [
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x17B4, 0x180E, 0x200B, 0x200D, 0x2060, 0x2065, 0x206F, 0x3164),
    *(0xFE0F, 0xFEFF, 0xFFA0, 0xFFF0, 0xFFF8, 0x1BCA0, 0x1D173, 0xE0000, 0xE0041, 0xE01F0, 0xE0FFF),
]


@pytest.mark.parametrize("code", IGNORABLE, ids=hex)
@pytest.mark.parametrize(
    "form", ["ceo@exa{}mple.org", "ceo{}@{}example.{}org", "ceo@example{}.org"]
)
def test_what_is_not_seen_hides_no_domain(code: int, form: str) -> None:
    """Default-ignorable characters, those without a name as well, count for nothing."""
    with pytest.raises(ProtectedDomain):
        POLICY.check(Mailbox("eve", "elsewhere.example", form.replace("{}", chr(code))), "from_")


@pytest.mark.parametrize(
    "name",
    [
        *("\u202egro.elpmaxe@oec", "ceo@\u202egro.elpmaxe\u202c", "\u2067org.example\u2069@ceo"),
        *("\u202d\uff20", "a \u202b@ b", "\u05d0 org\u200f.\u200fexample\u200f@\u200fceo"),
        *("ceo@ex\\ample.org", "ceo\\@example.org", "ceo@x_-.example.org", "ceo@xn--a.example.org"),
        *("=?utf-8?q?ceo=40example.org?=", "=?utf-8?b?Y2VvQA==?= =?utf-8?q?example?=.org"),
        *("\u00e9 =?utf-8?q?ceo?=@example.org", "=?x-unknown?q?r?= ceo@example.org"),
        *("ceo@exam\u200aple.org", "ceo@example\u2024org", "ceo@" + "a." * 500 + "example.org"),
        *("ceo@(x)example.org", "ceo@example (x) . (y) org", "ceo@example. org"),
        *("ceo@ex\u2010ample.com", "ceo@ex\u2011ample.com", "ceo@ex\u2212ample.com"),
    ],
)
def test_other_ways_to_show_a_protected_address(name: str) -> None:
    """Turned, escaped, encoded or hidden among others, an address is what a reader sees."""
    with pytest.raises(ProtectedDomain):
        POLICY.check(Mailbox("eve", "elsewhere.example", name), "from_")


@given(
    ANY_TEXT, st.sampled_from(["{}", "=?utf-8?q?{}?=", "=?{}?q?r?= \u00e9", "{}@{}", '"{}"@x.org'])
)
def test_any_name_is_protected_or_not(text: str, form: str) -> None:
    """Nothing but ProtectedDomain is raised, whatever the name is."""
    with suppress(ProtectedDomain):
        POLICY.check_text(form.replace("{}", text), "from_")


def draft(**given: Any) -> Draft:
    """Compose a draft in which a test sets only what it is about."""
    return compose(**{"to": "ann@example.org", "subject": "S", "text": "T", "html": "H", **given})


@pytest.mark.parametrize(
    "name",
    [
        *("Author", "Return-Receipt-To", "Disposition-Notification-To", "Errors-To", "X-SMTPAPI"),
        *("Mail-Reply-To", "Mail-Followup-To", "X-Confirm-Reading-To", "Approved", "X-Sender"),
        *(
            "X-Original-From",
            "List-Owner",
            "List-Post",
            "Originator",
            "Envelope-From",
            "X-Anything",
        ),
    ],
)
@pytest.mark.parametrize(
    "value",
    ["ceo@example.org", "The CEO <ceo@Mail.Example.org>", '{"from": "ceo@exa\u200bmple.org"}'],
)
def test_no_free_header_names_a_protected_sender(name: str, value: str) -> None:
    """Any free field may be shown or answered, so none names such an address."""
    with pytest.raises(ProtectedDomain, match=rf"^headers\['{name}'\]: "):
        POLICY.check_draft(draft(headers={name: value}))


@pytest.mark.parametrize(
    "name", ["Authentication-Results", "Received-SPF", "DomainKey-Signature", "X-DKIM-Signature"]
)
def test_no_free_header_claims_a_protected_domain(name: str) -> None:
    """Fields that vouch for a sender do so by the domain alone."""
    with pytest.raises(ProtectedDomain):
        POLICY.check_draft(draft(headers={name: "mx.x.org; dkim=pass header.d=Example.org; x"}))


@pytest.mark.parametrize(
    "given",
    [
        {"from_": "ceo@example.org"},
        {"reply_to": "a@x.org, ceo@example.org"},
        {"reverse_path": "ceo@example.org"},
        {"headers": {"Sender": "ceo@example.org"}},
        {"headers": {"Sender": "ceo@example.org <a@x.org>"}},
    ],
    ids=str,
)
def test_every_sender_of_a_draft_is_checked(given: dict[str, Any]) -> None:
    """From, Sender, Reply-To and the reverse-path, with their names."""
    with pytest.raises(ProtectedDomain):
        POLICY.check_draft(draft(**given))


def test_a_stored_mail_is_checked_in_all_its_fields() -> None:
    """What is read back from the outbox passes the same check as a draft."""
    made = draft(headers={"X-Sender": "ceo@example.org"}).from_mailbox(Mailbox("a", "x.org"))
    with pytest.raises(ProtectedDomain):
        POLICY.check_draft(read_message(bytes(render_mime(made))))


def test_recipients_and_threads_are_no_senders() -> None:
    """A mail may go to a protected domain, answer its mails, and offer to unsubscribe there."""
    free = {
        "In-Reply-To": "<1@example.org>",
        "References": "<1@example.org>",
        "X-Team": "example.org",
    }
    POLICY.check_draft(
        draft(headers=free, list_unsubscribe="off@example.org", cc="ceo@example.org")
    )


def test_a_quoted_local_part_may_not_show_a_protected_address() -> None:
    """An address within a quoted local part reads like the sender in many programs."""
    with pytest.raises(ProtectedDomain):
        POLICY.check(Mailbox.parse('"ceo@example.org"@elsewhere.example'), "from_")
    with pytest.raises(ProtectedDomain):
        POLICY.check(Mailbox.parse('"ceo@ex\\ample.org"@elsewhere.example'), "from_")


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
