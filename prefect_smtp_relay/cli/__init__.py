"""The command line: connects, checks, explains, and shows what waits in the outbox.

Every command takes ``--json`` and then prints one JSON document. Exit codes: 0 done, 1 a relay or a
mail has a problem, 2 wrong use, 130 interrupted. No line is cut in a narrow terminal, or in a
pipe. No secret is ever printed, or taken from an argument.
"""

from prefect_smtp_relay.cli.app import app, main, run

__all__ = ["app", "main", "run"]
