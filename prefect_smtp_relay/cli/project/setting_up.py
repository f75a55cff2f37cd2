"""What ``init`` does at the Prefect API: block types, work pool, deployments, automations."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from prefect.blocks.core import Block
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker

from prefect_smtp_relay.blocks.relays import RELAY_BLOCKS
from prefect_smtp_relay.cli.answer import UsageError
from prefect_smtp_relay.cli.project.automations import automate, with_webhook
from prefect_smtp_relay.cli.project.deploying import deploy
from prefect_smtp_relay.cli.project.entries import Entry, read_entries
from prefect_smtp_relay.cli.project.files import CREATED, UNCHANGED, ProjectFiles
from prefect_smtp_relay.notifications.send_an_email_block import SendAnEmail
from prefect_smtp_relay.runtime.api import API_ERRORS, ask
from prefect_smtp_relay.runtime.catalog import api_failure

_BLOCKS: tuple[type[Block], ...] = (*RELAY_BLOCKS, SendAnEmail)

_POOL_NAME = re.compile(r"(?!prefect)[^/%&><]+", re.IGNORECASE)
"""What Prefect's API takes."""


@dataclass
class Done:
    """What was set up, and what was there before: created, updated, unchanged, or left out.

    Args:
        block_types: their names.
        pools, deployments, automations: what was done, by name.
        waiting_pools: the pools that no worker works for.
    """

    block_types: list[str] = field(default_factory=list)
    pools: dict[str, str] = field(default_factory=dict)
    deployments: dict[str, str] = field(default_factory=dict)
    automations: dict[str, str] = field(default_factory=dict)
    waiting_pools: list[str] = field(default_factory=list)


def set_up(files: ProjectFiles, webhook: str | None) -> Done:
    """Bring Prefect to what the files say.

    Args:
        files: say which deployments and automations.
        webhook: a Webhook block to call when mail is only stored, or None.

    Raises:
        UsageError: a file says what cannot be done, or there is no such Webhook block.
        EmailError: the Prefect API could not be asked.
    """
    entries = read_entries(files.deployments())
    automations = with_webhook(files.automations(), webhook)
    try:
        if webhook:
            ask(lambda client: _need_webhook(client, webhook))
        for block in _BLOCKS:
            block.register_type_and_schema()
        return ask(lambda client: _set_up(client, entries, automations))
    except API_ERRORS as error:
        raise api_failure(error, "the Prefect API could not set it up") from error


def _set_up(
    client: SyncPrefectClient, entries: list[Entry], automations: list[dict[str, Any]]
) -> Done:
    done = Done([str(block.get_block_type_name()) for block in _BLOCKS])
    pools = dict.fromkeys(entry.work_pool.name for entry in entries)
    done.pools = {name: _have_pool(client, name) for name in pools}
    done.deployments = dict(deploy(client, entry) for entry in entries)
    done.automations = dict(automate(client, fields) for fields in automations)
    done.waiting_pools = [name for name in pools if not _has_worker(client, name)]
    return done


def _need_webhook(client: SyncPrefectClient, name: str) -> None:
    try:
        client.read_block_document_by_name(name, "webhook")
    except ObjectNotFound:
        raise UsageError(
            f"--webhook: there is no Webhook block named {name!r}. Save one in Prefect's UI, under"
            " Blocks."
        ) from None


def _have_pool(client: SyncPrefectClient, name: str) -> str:
    """Create a work pool whose worker runs flows as processes, where there is none of that name.

    Raises:
        UsageError: Prefect takes no such name.
    """
    try:
        client.read_work_pool(name)
    except ObjectNotFound:
        if not _POOL_NAME.fullmatch(name):
            raise UsageError(
                f"--pool: Prefect creates no work pool named {name!r}. Use another name, without"
                " / % & < > and without Prefect at its beginning."
            ) from None
        template = ProcessWorker.get_default_base_job_template()
        pool = WorkPoolCreate(name=name, type=ProcessWorker.type, base_job_template=template)
        client.create_work_pool(pool)
        return CREATED
    return UNCHANGED


def _has_worker(client: SyncPrefectClient, pool: str) -> bool:
    """Whether somebody works for a pool now."""
    workers = client.request(
        "POST", "/work_pools/{work_pool_name}/workers/filter", path_params={"work_pool_name": pool}
    ).json()
    return any(worker["status"] == "ONLINE" for worker in workers)
