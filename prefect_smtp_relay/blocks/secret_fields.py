"""Fields that say where a secret is, in place of the secret itself."""

from __future__ import annotations

import re
from pathlib import PureWindowsPath
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from prefect_smtp_relay.exceptions import InvalidField

VARIABLE_PREFIXES = ("SMTP_", "SENDGRID_")
"""Of the variables that a block may name: it decides where their content goes."""

_VARIABLE = re.compile(rf"(?:{'|'.join(VARIABLE_PREFIXES)})\w+", re.ASCII)


def check_secret_path(value: str) -> str:
    """Return the absolute path of a file; empty stays empty.

    Raises:
        InvalidField: it is not one. No text repeats it: it may be the secret itself.
    """
    path = value.strip()
    if path and not (path.startswith("/") or PureWindowsPath(path).is_absolute()):
        raise InvalidField(
            "is not an absolute path",
            "Write where the file is on the hosts that send mail, such as"
            " /run/secrets/smtp-relay/password.",
        )
    if not path.isprintable():
        raise InvalidField("contains a character that no path has", "Write it again.")
    return path


def check_secret_variable(value: str) -> str:
    """Return the name of an environment variable; empty stays empty.

    Raises:
        InvalidField: it is not the name of one that a block may read. No text repeats it.
    """
    name = value.strip()
    if name and not _VARIABLE.fullmatch(name):
        raise InvalidField(
            "is not the name of a variable that begins with SMTP_ or SENDGRID_",
            "Write such a name, like SMTP_PASSWORD; no other variable is read.",
        )
    return name


SecretPath = Annotated[str, AfterValidator(check_secret_path)]
SecretVariable = Annotated[str, AfterValidator(check_secret_variable)]


def file_field(title: str, *, example: str) -> Any:
    """The field of the file that contains a secret.

    Args:
        title: of the secret's own field, as it is written within a sentence.
        example: a path.
    """
    return Field(
        default="",
        title=f"Advanced: {title} file",
        description="Path of a file, such as a mounted secret, on each host that sends mail. It is"
        " read at each delivery, and only where the setting secret_files permits it.",
        examples=[example],
    )


def variable_field(title: str, *, example: str) -> Any:
    """The field of the environment variable that contains a secret.

    Args:
        title: of the secret's own field, as it is written within a sentence.
        example: a name.
    """
    return Field(
        default="",
        title=f"Advanced: {title} variable",
        description="Name of an environment variable, on each host that sends mail. It is read at"
        " each delivery, and begins with SMTP_ or SENDGRID_.",
        examples=[example],
    )
