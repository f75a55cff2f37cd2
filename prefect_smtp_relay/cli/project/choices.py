"""What a person may choose about ``prefect.yaml``, and the file that follows from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

DEFAULT_POOL = "default-process"


@dataclass(frozen=True)
class Choices:
    """What a file was, or will be, written from.

    Args:
        pool: the work pool of all deployments.
        recipients: who is mailed; empty leaves out the flows that mail people.
    """

    pool: str = DEFAULT_POOL
    recipients: tuple[str, ...] = ()

    @classmethod
    def read_from(cls, document: Any) -> Choices:
        """Find in a file what it was written from; where that is not to be found, the defaults."""
        try:
            definitions = document["definitions"]
            recipients = definitions.get("recipients") or ()
            if isinstance(recipients, str):
                recipients = (recipients,)
            return cls(str(definitions["work_pool"]["name"]), tuple(map(str, recipients)))
        except (AttributeError, KeyError, TypeError):
            return cls()

    def changed(self, pool: str | None, recipients: Sequence[str]) -> Choices:
        """Change what was asked for."""
        return Choices(pool or self.pool, tuple(recipients) or self.recipients)

    def write(self) -> str:
        """Write ``prefect.yaml``."""
        quoted = {"pool": _quote(self.pool), "recipients": [*map(_quote, self.recipients)]}
        return _template().render(quoted)


@cache
def _template() -> Template:
    text = Path(__file__).with_name("prefect.yaml.jinja").read_text(encoding="utf-8")
    # What is written is YAML, not HTML.
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    return environment.from_string(text)


def _quote(text: str) -> str:
    """Write a string as YAML reads one: each JSON string is one (YAML 1.2, section 1.3)."""
    return json.dumps(text, ensure_ascii=False)
