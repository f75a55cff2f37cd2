"""The presets: plain data that makes valid blocks."""

from __future__ import annotations

import pytest

from prefect_smtp_relay import SMTP
from prefect_smtp_relay.blocks.presets import PRESETS, Preset, find_preset
from prefect_smtp_relay.exceptions import RelayConfigurationError
from prefect_smtp_relay.testing.mail_server import MailServer
from prefect_smtp_relay.transports.smtp import Security

ACCOUNT = {"username": "ann@example.org", "password": "or an access token"}
EVERY = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
ELSEWHERE = pytest.mark.parametrize(
    "preset", [p for p in PRESETS.values() if not p.is_local], ids=lambda preset: preset.name
)


@EVERY
def test_a_preset_makes_a_block(preset: Preset) -> None:
    """Its settings are fields of the SMTP block, which takes them as they are."""
    block = SMTP(**({} if preset.is_local else ACCOUNT), **preset.settings)
    assert block.address == preset.address
    assert block.get_config().verify_peer is not preset.is_local


@ELSEWHERE
def test_the_port_fits_the_kind_of_tls(preset: Preset) -> None:
    """465 is TLS from the first byte, 587 is STARTTLS, required (RFC 8314)."""
    security = SMTP(**ACCOUNT, **preset.settings).get_config().security
    direct = {Security.DIRECT, Security.DIRECT_OR_STARTTLS}
    assert preset.port in {465, 587}
    assert (security in direct) is (preset.port == 465)
    assert security is not Security.STARTTLS_IF_OFFERED


@EVERY
def test_each_preset_says_what_to_prepare(preset: Preset) -> None:
    """Whole sentences, and what to write as the user name."""
    assert preset.username
    assert preset.advice
    assert all(line.endswith(".") and "\n" not in line for line in preset.advice)


@pytest.mark.parametrize("name", ["mailpit", "localhost"])
def test_a_server_on_this_host_takes_mail_as_it_is(name: str) -> None:
    """It needs neither TLS nor an account."""
    with MailServer() as server:
        settings = find_preset(name).settings | {"port": server.port}
        report = SMTP(**settings, from_address="ops@example.org").check()
        assert report.has_passed, str(report)
        assert report.step("MAIL").outcome == "ok"


def test_a_preset_is_found_by_another_name() -> None:
    """People call Microsoft 365 by its former name."""
    assert find_preset("office365") is PRESETS["microsoft365"]


def test_a_preset_is_found_by_its_name() -> None:
    """Case and blanks around do not matter."""
    assert find_preset(" Gmail ").address == "smtp.gmail.com"


@pytest.mark.parametrize(
    ("name", "hint"), [("gmial", "Did you mean gmail?"), ("exchange-2003", "There are: gmail, ")]
)
def test_an_unknown_preset_is_an_error(name: str, hint: str) -> None:
    """The text names the nearest one, or all."""
    with pytest.raises(RelayConfigurationError) as caught:
        find_preset(name)
    assert name in str(caught.value)
    assert hint in str(caught.value)
