"""What the forms save although it is wrong is told in the flow run's log."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from prefect import State, flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId

from prefect_smtp_relay import Receipt, send_an_email

from .interfaces import V1, V2, FieldInput, Interface

CANARY = "canary-77e1-never-shown"
LOG_SECONDS = 60


@flow
def notify() -> Receipt:
    """A flow that knows nothing of relays."""
    return send_an_email("ann@example.org", "Disk full", "The disk of **db-1** is full.")


def _run() -> State[Receipt]:
    return notify(return_state=True)


@pytest.fixture
def error_in_log(
    client: SyncPrefectClient,
    in_own_thread: Callable[..., State[Receipt]],
) -> Callable[[], str]:
    """Run the flow, which has to fail, and read its errors as the UI shows them."""

    def run() -> str:
        state = in_own_thread(_run)
        assert state.is_failed()
        run_id = state.state_details.flow_run_id
        assert run_id is not None
        of_run = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id]))
        deadline = time.monotonic() + LOG_SECONDS
        while time.monotonic() < deadline:
            lines = [line.message for line in client.read_logs(of_run)]
            if any("Finished in state Failed" in line for line in lines):
                return "\n".join(lines)
            time.sleep(0.2)
        raise AssertionError(f"the log is not whole: {lines}")

    return run


def test_what_is_wrong_is_told_until_it_is_right(
    ui: Interface, error_in_log: Callable[[], str]
) -> None:
    """Each error names the document, the field and the fix, and shows no secret."""
    wrong: dict[str, FieldInput] = {
        "Address": "smtp.example.org:587",
        "Username": "incidents",
        "From address": "incidents",
    }
    ui.create("smtp", "wrong", wrong)
    told = error_in_log()
    assert "RelayConfigurationError" in told
    assert "smtp/wrong: *Address* (`address`): has a port. Write smtp.example.org here" in told
    assert "*From address* (`from_address`): 'incidents' is not an e-mail address" in told

    ui.open_editor()
    ui.fill_in({"Address": "smtp.example.org", "From address": ""})
    ui.save_edits()
    assert "*Password* (`password`): is empty, but there is a username" in error_in_log()

    ui.open_editor()
    ui.fill_in({"Username": "", "Password": CANARY})
    ui.save_edits()
    told = error_in_log()
    assert "*Username* (`username`): is empty, but there is a password" in told
    assert CANARY not in told


@pytest.mark.parametrize("ui", [V2], indirect=True, ids=["V2"])
def test_v2_saves_a_blank_address(ui: Interface, error_in_log: Callable[[], str]) -> None:
    """V2 takes a required field that is left out; the log says what to write."""
    ui.create("smtp", "blank", {})
    assert "smtp/blank: *Address* (`address`): is empty. Write the server's" in error_in_log()


@pytest.mark.parametrize("ui", [V1], indirect=True, ids=["V1"])
def test_v1_refuses_a_blank_address(ui: Interface, client: SyncPrefectClient) -> None:
    """V1 says what is missing, and saves nothing."""
    ui.open_form("smtp")
    ui.name_document("blank")
    ui.button(ui.create_button).click()
    expect(ui.field("Address")).to_contain_text("Address is required")
    assert client.read_block_documents() == []


def test_a_port_that_does_not_exist_is_refused(ui: Interface, client: SyncPrefectClient) -> None:
    """The form knows the field's bounds, and saves nothing beyond them."""
    ui.open_form("smtp")
    ui.name_document("port")
    ui.fill_in({"Address": "smtp.example.org", "Port": "99999"})
    ui.button(ui.create_button).click()
    port = ui.control_of("Port")
    expect(port).to_be_focused()
    assert port.evaluate("element => element.validity.rangeOverflow")
    assert client.read_block_documents() == []
