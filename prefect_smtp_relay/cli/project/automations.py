"""Automations: created, brought up to date, or left as they are."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound
from pydantic import ValidationError

from prefect_smtp_relay.cli.answer import UsageError
from prefect_smtp_relay.cli.project.entries import first_problem
from prefect_smtp_relay.cli.project.files import CREATED, UNCHANGED, UPDATED


def with_webhook(wanted: Sequence[dict[str, Any]], name: str | None) -> list[dict[str, Any]]:
    """Name the block of the automations that call a webhook, or leave these out.

    Args:
        wanted: the entries of ``automations.yaml``.
        name: of a Webhook block, or None.
    """
    chosen = []
    for fields in deepcopy(list(wanted)):
        calls = [each for each in fields.get("actions", ()) if each.get("type") == "call-webhook"]
        for action in calls:
            action["block_document_id"] = f"webhook/{name}"
        if name or not calls:
            chosen.append(fields)
    return chosen


def automate(client: SyncPrefectClient, fields: dict[str, Any]) -> tuple[str, str]:
    """Save an automation. One that was switched off in Prefect stays so.

    Args:
        client: of the Prefect API.
        fields: with the names of deployments and blocks in place of their ids.

    Returns:
        Its name, and what was done, or why it was left out.

    Raises:
        UsageError: it is not an automation.
    """
    name = str(fields.get("name"))
    actions = [dict(action) for action in fields.get("actions", ())]
    for action in actions:
        if missing := _look_up(client, action):
            return name, f"left out: {missing} does not exist"
    return name, _save(client, _read({**fields, "actions": actions}))


def _look_up(client: SyncPrefectClient, action: dict[str, Any]) -> str:
    """Put ids in place of names; return a name that no deployment or block document has, if any."""
    for field in ("deployment_id", "block_document_id"):
        name = str(action.get(field) or "")
        if not name or _is_id(name):
            continue
        first, _, second = name.partition("/")
        if not second or "/" in second:
            return name
        try:
            if field == "deployment_id":
                action[field] = client.read_deployment_by_name(name).id
            else:
                action[field] = client.read_block_document_by_name(second, first).id
        except ObjectNotFound:
            return name
    return ""


def _is_id(text: str) -> bool:
    """Whether it is what Prefect's own commands want in place of a name."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _save(client: SyncPrefectClient, automation: AutomationCore) -> str:
    for existing in client.read_automations_by_name(automation.name):
        wanted = automation.model_copy(update={"enabled": existing.enabled})
        if existing.model_dump(exclude={"id"}) == wanted.model_dump():
            return UNCHANGED
        client.update_automation(existing.id, wanted)
        return UPDATED
    client.create_automation(automation)
    return CREATED


def _read(fields: dict[str, Any]) -> AutomationCore:
    try:
        return AutomationCore.model_validate(fields)
    except ValidationError as error:
        raise UsageError(
            f"automations.yaml: {fields.get('name')}: {first_problem(error)}. Fix it."
        ) from None
