"""The run that sends a mail, as the mail's origin."""

from __future__ import annotations

import threading
from collections import OrderedDict
from uuid import UUID

from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.runtime import deployment, flow_run
from prefect.utilities.urls import url_for

from prefect_smtp_relay.compose.origin import Origin
from prefect_smtp_relay.process_memory import process_memory
from prefect_smtp_relay.rendering.quoting import escape_markdown
from prefect_smtp_relay.runtime.api import API_ERRORS, ask
from prefect_smtp_relay.runtime.log import run_logger

_MAX_RUNS = 100
_NOWHERE = Origin()


class RunOrigins:
    """The flow runs that were last heard of: one API call a run, not a mail."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._origins: OrderedDict[str, Origin] = OrderedDict()

    def of(self, run_id: str) -> Origin:
        """Return the origin of the current flow run's mails."""
        with self._lock:
            if run_id not in self._origins:
                self._origins[run_id] = _describe(run_id)
                if len(self._origins) > _MAX_RUNS:
                    self._origins.popitem(last=False)
            return self._origins[run_id]


def run_origin() -> Origin:
    """Tell of the current flow run, with a link to it where the UI is known."""
    return process_memory.of(RunOrigins).of(str(flow_run.id)) if flow_run.id else _NOWHERE


def _describe(run_id: str) -> Origin:
    flow, run, deployed = _names(run_id)
    # Not flow_run.ui_url: that begins with "None" where no UI is known.
    link = url_for("flow-run", obj_id=run_id)
    name = escape_markdown(run or run_id)
    details = [f"run [{name}](<{link}>)" if link else f"run {name}"]
    if deployed:
        details.insert(0, f"deployment **{escape_markdown(deployed)}**")
    who = f"the flow **{escape_markdown(flow)}** ({', '.join(details)})"
    return Origin(who, flow, deployed)


def _names(run_id: str) -> tuple[str, str, str]:
    """The names of flow, run and deployment, from the run's context as far as it has them."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if context is None or context.flow is None or run is None or str(run.id) != run_id:
        # Only a hook, or a task run in another process: Prefect's own look-up asks the API.
        return str(flow_run.flow_name), str(flow_run.name or ""), str(deployment.name or "")
    return context.flow.name, run.name, _deployment_name(run.deployment_id)


def _deployment_name(deployment_id: UUID | None) -> str:
    if deployment_id is None:
        return ""
    try:
        return str(ask(lambda client: client.read_deployment(deployment_id)).name)
    except (*API_ERRORS, ObjectNotFound) as error:
        run_logger().debug("The footer lacks the deployment's name: %s", error)
        return ""
