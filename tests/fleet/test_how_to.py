"""The how-to for Kubernetes, as far as it runs without containers."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fleet.processes import Program

_PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "kubernetes.md"


def containers() -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Each container of the page, and how many replicas it has."""
    [text] = re.findall(r"```yaml\n(.*?)```", _PAGE.read_text("utf-8"), re.DOTALL)
    for document in yaml.safe_load_all(text):
        if document["kind"] == "Deployment":
            for container in document["spec"]["template"]["spec"]["containers"]:
                yield document["spec"]["replicas"], container
