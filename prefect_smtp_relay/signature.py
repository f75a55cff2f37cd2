"""Who sent a mail, for its footer."""

from __future__ import annotations

from prefect.runtime import deployment, flow_run

from prefect_smtp_relay.rendering.quoting import escape_markdown

_WHY = "You get this mail because you are named there as a recipient."


def run_signature() -> str:
    """Say in Markdown who sends the mail, with a link where the UI is known, and why it comes."""
    if not flow_run.id:
        return f"Sent by Prefect. {_WHY}"
    name = escape_markdown(str(flow_run.name or flow_run.id))
    run = f"[{name}](<{flow_run.ui_url}>)" if flow_run.ui_url else name
    of = f", deployment {escape_markdown(deployment.name)}" if deployment.name else ""
    flow = escape_markdown(str(flow_run.flow_name))
    return f"Sent by the flow {flow}, run {run}{of}. {_WHY}"
