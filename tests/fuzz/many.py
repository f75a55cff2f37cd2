"""How many examples a fuzz target tries: a thousand, or more where the profile says so."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_LEAST = 1_000

many = settings(
    max_examples=max(_LEAST, settings().max_examples), suppress_health_check=list(HealthCheck)
)
