"""Who sent a mail, for its footer."""

from __future__ import annotations

from prefect.runtime import deployment, flow_run
from prefect.utilities.urls import url_for

from prefect_smtp_relay.rendering.quoting import escape_markdown


def run_signature() -> str:
    """Say in Markdown who sends the mail, with a link where the UI is known, and why it comes."""
    if not flow_run.id:
        return "Sent by Prefect. You get this mail because you are named as a recipient."
    name = escape_markdown(str(flow_run.name or flow_run.id))
    # Not flow_run.ui_url: that begins with "None" where no UI is known.
    link = url_for("flow-run", obj_id=flow_run.id)
    run = f"[{name}](<{link}>)" if link else name
    of = f", deployment {escape_markdown(deployment.name)}" if deployment.name else ""
    flow = escape_markdown(str(flow_run.flow_name))
    return (
        f"Sent by the flow {flow}, run {run}{of}."
        " You get this mail because you are named there as a recipient."
    )
