"""The fields of the SMTP block."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.testing.certificates import issue_certificates
from prefect_smtp_relay.transports.smtp import Security

KEY = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----"

FORM = {
    "address": "string",
    "port": "integer",
    "username": "string",
    "password": "string",
    "ssl": "string",
    "enable_starttls": "boolean",
    "enable_starttls_auto": "string",
    "ssl_verify_mode": "string",
    "from_address": "string",
    "authentication": "string",
    "domain": "string",
    "reverse_path": "string",
    "priority": "integer",
    "timeout_seconds": "number",
    "password_file": "string",
    "password_variable": "string",
    "ca_certificate": "string",
    "tls_server_name": "string",
    "client_certificate": "string",
    "client_key": "string",
    "allow_cleartext_auth": "boolean",
    "oauth_token_url": "string",
    "oauth_client_id": "string",
    "oauth_client_secret": "string",
    "oauth_client_secret_file": "string",
    "oauth_client_secret_variable": "string",
    "oauth_refresh_token": "string",
    "oauth_refresh_token_file": "string",
    "oauth_refresh_token_variable": "string",
    "oauth_scope": "string",
    "messages_per_minute": "integer",
    "max_connections": "integer",
}
"""The fields in the order of use, and how each is drawn."""

BASICS = list(FORM)[: list(FORM).index("domain")]

SPECIFIED: dict[str, tuple[type, Any]] = {
    "port": (int, 587),
    "domain": (str, ""),
    "username": (SecretStr, SecretStr("")),
    "password": (SecretStr, SecretStr("")),
    "enable_starttls": (bool, False),
    "enable_starttls_auto": (bool, True),
    "ssl": (bool, True),
}


def test_the_form_has_each_field_in_the_order_of_use_and_no_default() -> None:
    """What few need comes last and says so; a default would be put over a saved value by V2."""
    schema = SMTP.model_json_schema()
    fields = schema["properties"]
    assert list(fields.items()) == sorted(fields.items(), key=lambda item: item[1]["position"])
    assert {name: field["type"] for name, field in fields.items()} == FORM
    assert list(fields) == list(FORM)
    assert not any({"default", "anyOf"} & {*field} for field in fields.values())
    assert [n for n, f in fields.items() if not f["title"].startswith("Advanced: ")] == BASICS
    assert schema["required"] == ["address"]
    assert schema["secret_fields"] == [
        *("address", "username", "password", "client_key"),
        *("oauth_client_secret", "oauth_refresh_token"),
    ]


def test_the_specified_fields_have_their_types_and_defaults_for_code() -> None:
    """However the form draws a field, Python has the specified type and default."""
    fields = SMTP.model_fields
    assert {
        name: (fields[name].annotation, fields[name].default) for name in SPECIFIED
    } == SPECIFIED
    block = SMTP(address="mx.example.org")
    assert (block.authentication, block.ssl_verify_mode) == ("plain", "none")
    assert block.model_dump()["ssl"] is True


@pytest.mark.parametrize("name", ["ssl", "enable_starttls_auto"])
@pytest.mark.parametrize(
    ("saved", "meant"),
    [("on", True), ("off", False), (True, True), (False, False), ("", True), (None, True)],
)
def test_a_switch_that_is_on_by_default_is_a_choice(
    name: str, saved: str | bool | None, meant: bool
) -> None:
    """What the form saves, and what code saved, is the boolean; empty is the default."""
    assert SMTP.model_json_schema()["properties"][name]["enum"] == ["on", "off"]
    block = SMTP.model_validate({"address": "mx.example.org", name: saved})
    assert getattr(block, name) is meant
    saved_again = block.model_dump(context={"include_secrets": True})[name]
    assert saved_again == ("on" if meant else "off")


def test_choices_are_listed_and_titles_kept() -> None:
    """Fields with choices keep their title and list the choices."""
    properties = SMTP.model_json_schema()["properties"]
    assert properties["authentication"]["enum"] == [
        *("plain", "login", "cram_md5", "scram_sha_256", "xoauth2", "oauthbearer")
    ]
    assert properties["ssl_verify_mode"]["enum"] == ["none", "peer"]
    assert all(field["title"] and field["description"] for field in properties.values())


@pytest.mark.parametrize(
    ("values", "field", "fix"),
    [
        ({}, "address", "smtp.example.org"),
        ({"address": None}, "address", "smtp.example.org"),
        ({"address": "   "}, "address", "smtp.example.org"),
        (
            {"address": "smtp://mx.example.org"},
            "address",
            "Write only the host name: mx.example.org",
        ),
        ({"address": "mx.example.org:25"}, "address", "25 into *Port* (`port`)"),
        ({"address": "mx example.org"}, "address", "contains a space"),
        ({"address": "********"}, "address", "Enter it again"),
        ({"address": "-bad-.example.org"}, "address", "is not a domain name"),
        ({"address": "mx.example.org", "port": 0}, "port", "greater than or equal to 1"),
        ({"address": "mx.example.org", "port": 65536}, "port", "less than or equal to 65535"),
        ({"address": "mx.example.org", "authentication": "ntlm"}, "authentication", "'cram_md5'"),
        ({"address": "mx.example.org", "ssl_verify_mode": "x"}, "ssl_verify_mode", "'peer'"),
        ({"address": "mx.example.org", "username": "u"}, "password", "Set both or neither"),
        ({"address": "mx.example.org", "password": "p"}, "username", "Set both or neither"),
        ({"address": "mx.example.org", "ca_certificate": "MII"}, "ca_certificate", "PEM text"),
        (
            {"address": "mx.example.org", "tls_server_name": "a b"},
            "tls_server_name",
            "Write the host",
        ),
        (
            {"address": "mx.example.org", "client_certificate": "MII"},
            "client_certificate",
            "PEM text",
        ),
        ({"address": "mx.example.org", "client_key": KEY}, "client_certificate", "Set both"),
        ({"address": "mx.example.org", "client_key": "canary"}, "client_key", "BEGIN PRIVATE KEY"),
        (
            {"address": "mx.example.org", "client_key": KEY.replace("PRIV", "ENCRYPTED PRIV")},
            "client_key",
            "has a passphrase",
        ),
        ({"address": "mx.example.org", "pasword": "p"}, "pasword", "Did you mean 'password'?"),
        ({"address": "mx.example.org", "colour": "p"}, "colour", "no such field"),
        ({"address": "mx.example.org", "domain": "a b"}, "domain", "is not a domain name"),
        ({"address": "mx.example.org", "from_address": "ann"}, "from_address", "has no @"),
        ({"address": "mx.example.org", "timeout_seconds": 0}, "timeout_seconds", "greater than 0"),
        (
            {"address": "mx.example.org", "username": "u", "password": "********"},
            "password",
            "Enter it again",
        ),
    ],
)
def test_a_wrong_value_is_an_error_that_names_field_and_fix(
    values: dict[str, Any], field: str, fix: str
) -> None:
    """Each wrong value is refused in a text with the field and what to write instead."""
    with pytest.raises(ValidationError) as caught:
        SMTP(**values)
    assert field in str(caught.value)
    assert fix in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("blank", ["", "  ", None])
@pytest.mark.parametrize("field", [name for name in SPECIFIED if name != "address"])
def test_blank_none_and_missing_are_the_same(field: str, blank: str | None) -> None:
    """A field that the form or an API client leaves blank has its default."""
    assert SMTP(address="mx.example.org", **{field: blank}) == SMTP(address="mx.example.org")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  smtp.example.org ", "smtp.example.org"),
        ("SMTP.Example.ORG.", "smtp.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("mail_server", "mail_server"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:db8::1]", "2001:db8::1"),
    ],
)
def test_an_address_is_stored_as_the_wire_wants_it(typed: str, stored: str) -> None:
    """Host names become A-labels, address literals lose their brackets."""
    assert SMTP(address=typed).address == stored


def test_line_ends_that_a_text_area_adds_are_dropped() -> None:
    """Enter behind a value changes nothing; other blanks belong to a password."""
    block = SMTP(
        address="mx.example.org\n",
        username="flows\n",
        password=" p w \r\n",
        from_address="ops@example.org\n",
    )
    assert block.address == "mx.example.org"
    assert block.username.get_secret_value() == "flows"
    assert block.password.get_secret_value() == " p w "
    assert block.from_address == "ops@example.org"


def test_a_readable_ca_certificate_is_kept() -> None:
    """PEM text of a certificate passes unchanged."""
    pem = issue_certificates().ca_pem
    assert SMTP(address="mx.example.org", ca_certificate=pem).ca_certificate == pem


@pytest.mark.parametrize(
    ("ssl", "starttls", "auto", "security"),
    [
        (True, True, True, Security.DIRECT_OR_STARTTLS),
        (True, True, False, Security.DIRECT_OR_STARTTLS),
        (True, False, True, Security.DIRECT_OR_STARTTLS),
        (True, False, False, Security.DIRECT),
        (False, True, True, Security.STARTTLS),
        (False, True, False, Security.STARTTLS),
        (False, False, True, Security.STARTTLS_IF_OFFERED),
        (False, False, False, Security.PLAIN_TEXT),
    ],
)
def test_the_three_switches_resolve_as_the_table_says(
    ssl: bool, starttls: bool, auto: bool, security: Security
) -> None:
    """Each combination of ssl, enable_starttls and enable_starttls_auto means one thing."""
    block = SMTP(
        address="mx.example.org", ssl=ssl, enable_starttls=starttls, enable_starttls_auto=auto
    )
    assert block.get_config().security is security


def test_a_username_that_is_an_address_is_the_last_resort_for_from() -> None:
    """The username stands in for From only where it is an e-mail address."""
    as_address = SMTP(address="mx.example.org", username="ann@example.org", password="p")
    as_name = SMTP(address="mx.example.org", username="ann", password="p")
    assert as_address.sender_after_default() == "ann@example.org"
    assert as_name.sender_after_default() == ""


def test_a_client_certificate_and_its_key_reach_the_transport() -> None:
    """Both are PEM text, and the key is a secret."""
    certificate = issue_certificates().ca_pem
    block = SMTP(
        address="192.0.2.1",
        tls_server_name="bücher.example",
        client_certificate=certificate,
        client_key=f"{KEY}\n",
    )
    config = block.get_config()
    assert config.client_certificate == certificate
    assert config.client_key.get_secret_value() == KEY
    assert config.tls_server_name == "xn--bcher-kva.example"
    assert "canary" not in repr(block) + repr(config)
