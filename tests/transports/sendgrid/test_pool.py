from __future__ import annotations

import httpcore
import httpx
import pytest

from prefect_smtp_relay.transports.sendgrid.pool import FAILURES, in_terms_of_httpx

_INTERNAL = {httpcore.ConnectionNotAvailable}  # a pool raises it to itself, and tries again


def _exceptions() -> list[type[Exception]]:
    public = [v for v in vars(httpcore).values() if isinstance(v, type)]
    return [v for v in public if issubclass(v, Exception) and v not in _INTERNAL]


@pytest.mark.parametrize("kind", _exceptions())
def test_every_exception_of_httpcore_has_its_like_in_httpx(kind: type[Exception]) -> None:
    """Each is raised as httpx's of that name, which is what our errors are made from."""
    assert issubclass(kind, FAILURES)
    with pytest.raises(getattr(httpx, kind.__name__)) as caught, in_terms_of_httpx():
        raise kind("why")
    assert isinstance(caught.value.__cause__, kind)
