"""Create the automations of automations.yaml, or bring them up to date: run it again at will.

Where Prefect wants the id of a deployment or block document, that file has its name; this script
puts the id there. Automations whose deployment or block does not exist are left out, and named. The
one that calls a webhook is only created where ``--webhook`` names a Webhook block.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound
from ruamel.yaml import YAML

_FILE = Path(__file__).parents[1] / "automations.yaml"


def look_up(client: SyncPrefectClient, action: dict[str, Any]) -> None:
    """Put ids in place of names.

    Raises:
        ObjectNotFound: there is no deployment or block document of that name.
    """
    if name := action.get("deployment_id"):
        action["deployment_id"] = client.read_deployment_by_name(name).id
    if name := action.get("block_document_id"):
        slug, _, document = name.partition("/")
        action["block_document_id"] = client.read_block_document_by_name(document, slug).id


def create_or_update(client: SyncPrefectClient, fields: dict[str, Any]) -> str:
    """Save an automation, in place of the one of its name if there is one; tell what was done."""
    name, actions = fields["name"], fields["actions"]
    wanted = [action.get("deployment_id") or action.get("block_document_id") for action in actions]
    try:
        for action in actions:
            look_up(client, action)
    except ObjectNotFound:
        return f"Left out: {name!r}, because {' or '.join(wanted)} does not exist."
    automation = AutomationCore.model_validate(fields)
    for existing in client.read_automations_by_name(name):
        client.update_automation(existing.id, automation)
        return f"Updated: {name!r}."
    client.create_automation(automation)
    return f"Created: {name!r}."


def with_webhook(wanted: list[dict[str, Any]], name: str | None) -> list[dict[str, Any]]:
    """Name the block of the automations that call a webhook, or leave these out."""
    chosen = []
    for fields in wanted:
        calls = [action for action in fields["actions"] if action["type"] == "call-webhook"]
        for action in calls:
            action["block_document_id"] = f"webhook/{name}"
        if name or not calls:
            chosen.append(fields)
    return chosen


def main(arguments: list[str]) -> int:
    """Create what can be created; 1 if something was left out."""
    parser = argparse.ArgumentParser(description="Create or update the automations.")
    parser.add_argument("file", nargs="?", type=Path, default=_FILE, help="by default %(default)s")
    parser.add_argument("--webhook", help="a Webhook block to call when mail is only stored")
    options = parser.parse_args(arguments)
    wanted = with_webhook(YAML(typ="safe").load(options.file)["automations"], options.webhook)
    with get_client(sync_client=True) as client:
        done = [create_or_update(client, fields) for fields in wanted]
    print(*done, sep="\n")  # noqa: T201 - a script that people run
    return int(any(line.startswith("Left out") for line in done))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
