"""``init``: what a team sets up once, so that others need only Prefect's UI."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from prefect.settings import get_current_settings

from prefect_smtp_relay.cli.answer import Answer, Flag, Json, UsageError, beside, show
from prefect_smtp_relay.cli.api import api_url
from prefect_smtp_relay.cli.project.files import KEPT, ProjectFiles
from prefect_smtp_relay.mail.mailbox import Mailbox

_NO_SERVER = (
    "PREFECT_API_URL is not set. Deployments and automations need a Prefect server that keeps"
    " running. Run `prefect server start` in a terminal of its own, then `prefect config set"
    " PREFECT_API_URL=http://127.0.0.1:4200/api`, then this command again. To write the files only,"
    " use --no-deploy."
)
_NO_RECIPIENTS = (
    "No flow that mails people is deployed yet: run `prefect-smtp-relay init --recipient"
    " oncall@example.org` with an address of yours."
)


def init(
    directory: Path = Path(),
    /,
    *,
    pool: str | None = None,
    recipient: Annotated[list[str] | None, Parameter(negative="")] = None,
    webhook: str | None = None,
    overwrite: Flag = False,
    no_deploy: Flag = False,
    as_json: Json = False,
) -> int:
    """Set up what Prefect's UI needs: block types, files, a work pool, deployments, automations.

    Args:
        directory: Where prefect.yaml and automations.yaml are; by default the current directory.
        pool: The work pool of the deployments; by default default-process. A process pool is
            created where there is none of that name.
        recipient: Who is mailed by the flows that mail people: oncall@example.org. Can be repeated.
        webhook: A Webhook block to call when mail is only stored.
        overwrite: Write both files anew, also where they were edited.
        no_deploy: Only write the files.
        as_json: Print one JSON document.
    """
    recipients = [str(Mailbox.parse(each, "--recipient")) for each in recipient or ()]
    if not (no_deploy or get_current_settings().api.url):
        raise UsageError(_NO_SERVER)
    files = ProjectFiles(directory, overwrite=overwrite)
    written = files.write(pool, recipients)
    if no_deploy:
        return show(_files_only(written, directory), as_json=as_json)
    # Prefect's workers are slow to import.
    from prefect_smtp_relay.cli.project.setting_up import set_up

    done = set_up(files, webhook)
    steps = list(_next_steps(done.waiting_pools, mails_people=bool(files.recipients())))
    data = {"api": api_url(), "files": written, **vars(done), "next": steps}
    return show(Answer(data, list(_describe(data))), as_json=as_json)


def _files_only(written: dict[str, str], directory: Path) -> Answer:
    where = [] if directory == Path() else [str(directory)]
    command = shlex.join(["prefect-smtp-relay", "init", *where])
    text = f"Nothing was deployed. Run `{command}` to do so."
    return Answer({"files": written}, [*_lines("file", written), text])


def _describe(data: dict[str, Any]) -> Iterator[str]:
    yield f"Prefect API: {data['api']}"
    yield beside("block types  ", ", ".join(data["block_types"]))
    kinds = {"file": "files", "work pool": "pools"}
    kinds |= {"deployment": "deployments", "automation": "automations"}
    for kind, name in kinds.items():
        yield from _lines(kind, data[name])
    states = {state for name in kinds.values() for state in data[name].values()}
    if not any(state in ("created", "updated") for state in states):
        yield "Nothing has changed."
    yield from data["next"]


def _lines(kind: str, states: dict[str, str]) -> Iterator[str]:
    for name, state in states.items():
        shown = "kept, as it was edited" if state == KEPT else state
        yield beside(f"{kind:<11}  ", f"{name}: {shown}")


def _next_steps(waiting_pools: Sequence[str], *, mails_people: bool) -> Iterator[str]:
    for pool in waiting_pools:
        command = shlex.join(["prefect", "worker", "start", "--pool", pool])
        yield f"Keep a worker running, so that the flows run: {command}"
    yield (
        f"In Prefect's UI, {get_current_settings().ui_url}: Blocks, +, SMTP, Save. A check of the"
        " relay follows by itself, under Runs."
    )
    if not mails_people:
        yield _NO_RECIPIENTS
