"""What is typed for users is all that they have."""

from __future__ import annotations

import re

import pytest

import prefect_smtp_relay
from tests.rooms import ROOT

TYPED = (ROOT / "tests" / "typing" / "api.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", prefect_smtp_relay.__all__)
def test_every_public_name_is_used_as_users_do(name: str) -> None:
    """``tests/typing/api.py`` imports each public name, and uses it."""
    assert len(re.findall(rf"\b{name}\b", TYPED)) > 1 or name == "__version__"
