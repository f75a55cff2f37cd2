"""Renders a mail in a process of its own, with a limit of memory and time."""

from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
import resource, sys
from decimal import Decimal
from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.rendering.render import render
from prefect_smtp_relay.templating.arguments import fill_arguments
resource.setrlimit(resource.RLIMIT_AS, (700 * 2**20,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (15, 15))
mail, context = eval(sys.argv[1])
try:
    mail, values = fill_arguments(mail, context)
    rendered = render(mail["body"], html=mail.get("html"), values=values)
    print("rendered", len(rendered.html) + len(rendered.text))
except EmailError as error:
    print(type(error).__name__, error)
"""


def render_limited(arguments: str) -> str:
    """Fill in and render a mail, given as an expression for its arguments and its context.

    Returns:
        The error, or how long the mail is.
    """
    done = subprocess.run(  # noqa: S603  # our own interpreter and script
        [sys.executable, "-c", _SCRIPT, arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
