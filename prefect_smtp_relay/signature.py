"""Who sent a mail, for its footer."""

from __future__ import annotations

from prefect.runtime import deployment, flow_run

from prefect_smtp_relay.rendering.quoting import escape_markdown


def run_signature() -> str:
    """Say in Markdown which flow and run sends the mail, with a link where the UI is known."""
    if not flow_run.id:
        return "Sent by Prefect."
    name = escape_markdown(str(flow_run.name or flow_run.id))
    run = f"[{name}](<{flow_run.ui_url}>)" if flow_run.ui_url else name
    of = f", deployment {escape_markdown(deployment.name)}" if deployment.name else ""
    return f"Sent by the flow {escape_markdown(str(flow_run.flow_name))}, run {run}{of}."
