"""Serves the flow that sends summaries, as a deployment: ``python -m benchmarks.flood_sender``."""

from __future__ import annotations

from prefect_smtp_relay.flows.send_grouped import send_grouped

if __name__ == "__main__":
    send_grouped.serve(name="grouped", print_starting_message=False)
