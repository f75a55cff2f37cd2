"""What a context may hold."""

from __future__ import annotations

import dataclasses
import enum
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Any

import pytest
from markupsafe import Markup
from pydantic import BaseModel, HttpUrl, RootModel, SecretStr, computed_field

from prefect_smtp_relay.exceptions import InvalidTemplate
from prefect_smtp_relay.templating.context import read_context

from .filling import fill


class Severity(enum.Enum):
    """An enumeration."""

    HIGH = "SEV1"


class Level(enum.StrEnum):
    """An enumeration of texts."""

    LOW = "low"


@dataclasses.dataclass
class Owner:
    """A dataclass."""

    name: str


class Incident(BaseModel):
    """A Pydantic model."""

    title: str
    url: HttpUrl
    owner: Any
    key: SecretStr = SecretStr("canary")


INCIDENT = Incident(title="Down", url=HttpUrl("https://x.example/1"), owner=Owner("Ann"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (INCIDENT, "Down https://x.example/1 Ann **********"),
        (dict(INCIDENT), "Down https://x.example/1 Ann **********"),
    ],
)
def test_models_and_dataclasses_are_mappings(value: Any, shown: str) -> None:
    """Their fields are read by name, and secrets stay secret."""
    template = "{{ v.title }} {{ v.url }} {{ v.owner.name }} {{ v.key }}"
    assert fill(subject=template, context={"v": value}).subject == shown


class Check(BaseModel):
    """A model with what is computed of its fields."""

    passed: int
    failed: int = 0

    @computed_field  # type: ignore[prop-decorator]  # as Pydantic documents it
    @property
    def total(self) -> int:
        """Both."""
        return self.passed + self.failed


class Names(RootModel[list[str]]):
    """A model that is a list."""


def test_computed_fields_are_fields() -> None:
    """They are read by name, within lists and models too."""
    context = {"checks": [Check(passed=2, failed=1)], "names": Names(["a", "b"])}
    template = "{{ checks[0].total }} {{ checks | map(attribute='total') | sum }} {{ names }}"
    assert fill(subject=template, context=context).subject == "3 3 a, b"


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("numpy.int64(3)", "3"),
        ("numpy.float32(0.1)", "0.1"),
        ("numpy.bool_(True)", "True"),
        ("numpy.str_('x')", "x"),
        ("numpy.datetime64('2026-03-14T02:06')", "2026-03-14T02:06"),
        ("numpy.datetime64('NaT')", ""),
        ("numpy.array([1, 2])", "1, 2"),
        ("numpy.array([[1], [2]])", "1, 2"),
        ("pandas.Timestamp('2026-03-14 02:06', tz='UTC')", "2026-03-14 02:06:00+00:00"),
        ("pandas.Timedelta('1h')", "0 days 01:00:00"),
        ("pandas.Period('2026-03')", "2026-03"),
        ("pandas.NaT", ""),
        ("pandas.NA", ""),
        ("pandas.Series([1.5, 2])", "1.5, 2.0"),
        ("pandas.DataFrame({'x': [1], 'y': ['a']})", "x: 1, y: a"),
    ],
)
def test_values_of_numpy_and_pandas(code: str, shown: str) -> None:
    """Scalars show as Python's, arrays and columns as lists, tables as lists of records."""
    names = {name: pytest.importorskip(name) for name in ("numpy", "pandas")}
    value = eval(code, names)  # noqa: S307  # our own text, which is the test's id
    assert fill(subject="{{ v }}", context={"v": value}).subject == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Severity.HIGH, "SEV1"),
        (Level.LOW, "low"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("/a/b"), "/a/b"),
        (datetime(2026, 3, 14, 3, 7, tzinfo=UTC), "2026-03-14 03:07:00+00:00"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+1000000"), "1E+1000000"),
        (2**1200, str(2**1200)),
        (ValueError("no rows"), "no rows"),
        (KeyError(), "KeyError"),
        (ip_address("192.0.2.1"), "192.0.2.1"),
        (("a", "b"), "a, b"),
        (frozenset({"a"}), "a"),
        (Markup("<b>"), "<b>"),
        ("\ud800", "\ufffd"),
    ],
)
def test_values_of_many_types(value: Any, shown: str) -> None:
    """Each shows as people would write it; nothing in a context counts as markup."""
    assert fill(subject="{{ v }}", context={"v": value}).subject == shown


def test_a_number_that_python_does_not_write_shows_its_digits() -> None:
    """More than 4,300 decimal digits are an error in Python; hexadecimal ones are not."""
    assert fill(text="{{ v }}", context={"v": 2**20_000}).text == hex(2**20_000)


def test_dates_can_be_formatted() -> None:
    """`strftime` is there for them."""
    when = datetime(2026, 3, 14, 3, 7, tzinfo=UTC)
    assert fill(subject="{{ t.strftime('%H:%M') }}", context={"t": when}).subject == "03:07"


def test_a_key_comes_before_a_method() -> None:
    """``incident.items`` is the data's own, and a mapping without such a key has the method."""
    context = {"a": {"items": ["x"]}, "b": {"k": "v"}}
    template = "{{ a.items }} {% for k, v in b.items() %}{{ k }}={{ v }}{% endfor %}"
    assert fill(subject=template, context=context).subject == "x k=v"


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (["a"], "context: expected a mapping of names to values, got list. Write context={...}."),
        ({"a": {"b": object()}}, "context: a.b is of the type object. Pass texts, numbers, dates,"),
        ({"a": [0, b"x"]}, "context: a[1] is of the type bytes. Pass texts"),
        ({"a": print}, "context: a is of the type builtin_function_or_method. Pass texts"),
        ({"a": Owner}, "context: a is of the type type. Pass texts"),
        ({"a": range(10)}, "context: a is of the type range. Pass texts"),
        ({"a": ["x"] * 100_000}, "context: more than 100,000 values, or deeper than 32 levels, at"),
    ],
)
def test_what_no_template_could_show_is_refused(context: Any, text: str) -> None:
    """The error names the place, and what to pass."""
    with pytest.raises(InvalidTemplate) as caught:
        read_context(context)
    assert str(caught.value).startswith(text)


def test_a_context_that_holds_itself_is_refused() -> None:
    """Depth is bounded."""
    context: dict[str, Any] = {}
    context["self"] = context
    with pytest.raises(InvalidTemplate, match=r"deeper than 32 levels, at self\.self\.self"):
        read_context(context)
