"""Whatever an author writes in a template, it is filled in or an error of ours, and is bounded."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prefect_smtp_relay.exceptions import EmailError
from prefect_smtp_relay.templating.arguments import fill_arguments
from prefect_smtp_relay.templating.filters import FILTERS
from tests.fuzz.many import many

_MAX_BYTES = 20_000
_NAMES = ("text", "number", "items", "table", "moment", "nothing", "amount", "loop", "missing")
_LITERALS = [
    *_NAMES,
    *("'x'", "'a' ~ text", "-5", "0", "3", "1.5", "10 ** 30", "[]", "[1, text]", "{}", "none"),
    *("true", "items[0]", "table.a", "text.upper()", "text.format(number)", "range(50)", "dict()"),
    *("'{:>999999999}'", "'%999999999d'", "[[]] * 99", "lipsum()", "cycler(1)", "namespace()"),
]
_EXPRESSIONS = st.recursive(
    st.sampled_from(_LITERALS),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from([*"+-*/%~", "**", "//"]), inner),
        st.builds("{} | {}".format, inner, st.sampled_from(sorted(FILTERS))),
        st.builds("{} | {}({})".format, inner, st.sampled_from(sorted(FILTERS)), inner),
        st.builds("{} | {}({}, {})".format, inner, st.sampled_from(sorted(FILTERS)), inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("{}[{}]".format, inner, inner),
    ),
    max_leaves=6,
)
_PIECES = st.one_of(
    st.text(max_size=5),
    st.builds("{{{{ {} }}}}".format, _EXPRESSIONS),
    st.builds("{{% set a = {} %}}{{{{ a ~ a }}}}".format, _EXPRESSIONS),
    st.builds("{{% for x in {} %}}{{{{ x }}}}{{% endfor %}}".format, _EXPRESSIONS),
    st.builds("{{% if {} %}}x{{% endif %}}".format, _EXPRESSIONS),
    st.sampled_from(["{{", "}}", "{%", "%}", "{#", "{% raw %}", "{% include 'x' %}", "{% macro"]),
)
TEMPLATES = st.lists(_PIECES, max_size=4).map("".join)
_VALUES: dict[str, Any] = {
    "text": "a *b* {{ c }} \u202e <i>\r\n",
    "number": 10**20,
    "items": [1, "two", None, {"a": 1}],
    "table": {"a": {"b": [1]}, "items": 5},
    "moment": datetime(2026, 1, 1, tzinfo=UTC),
    "nothing": None,
    "amount": Decimal("1E+1000000"),
}


@many
@given(TEMPLATES, st.sampled_from(["body", "subject", "html", "to", "thread"]))
def test_any_template(template: str, argument: str) -> None:
    """It fills no more than is permitted, and fails with an error that can be pickled."""
    try:
        filled, _ = fill_arguments({argument: template}, _VALUES, _MAX_BYTES)
    except EmailError as error:
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301, PT017  # our own; not how it ends
    else:
        assert len(str(filled[argument]).encode("utf-8", "surrogatepass")) <= 10 * _MAX_BYTES
