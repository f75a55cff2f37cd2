"""Everything that asks Prefect: its API, the run around a mail, its log, events and artifacts."""
