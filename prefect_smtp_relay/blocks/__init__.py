"""The Prefect blocks: fields that the UI shows, and the transports they describe."""
