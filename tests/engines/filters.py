"""Filters and attributes that meet: with the ends of 32, 53 and 64 bits, and awkward strings."""

from __future__ import annotations

import random

from hypothesis import strategies as st
from imagesearch.catalogue import Attributes
from imagesearch.catalogue.filter import Filter
from imagesearch.catalogue.filter.expression import AllOf, AnyOf, Comparison, Expression, Membership

NUMBERS = [
    *(-2, -1, 0, 1, 2),
    *(-(2**31), 2**31 - 1, 2**32, -(2**32)),
    *(2**53 - 1, 2**53, 2**53 + 1, 2**53 + 2**32),
    *(-(2**53) + 1, -(2**53), -(2**53) - 1, -(2**53) - 2**32),
    *(-(2**63), -(2**63) + 1, 2**63 - 2, 2**63 - 1),
]
BEYOND = [2**63, -(2**63) - 1, 10**30, -(10**30)]
WORDS = ["", "a", "A", "a ", " a", "ab", '"', "\\", "#a", "红", "é", "e\u0301", "x" * 64, "x" * 65]
INTS = ["int_attr", "int_attr2"]
STRINGS = ["str_attr", "str_attr4"]


def _table() -> list[Attributes]:
    chance = random.Random(4)
    rows = [Attributes()]
    for n in range(80):
        numbers = {name: chance.choice([None, *NUMBERS]) for name in INTS}
        words = {name: chance.choice([None, *WORDS]) for name in STRINGS}
        numbers["int_attr"] = NUMBERS[n % len(NUMBERS)] if n < 60 else None
        words["str_attr"] = WORDS[n % len(WORDS)] if n > 20 else None
        rows.append(Attributes(**numbers, **words))  # type: ignore[arg-type]
    return rows


ATTRIBUTES = _table()

_numbers = st.sampled_from([*NUMBERS, *BEYOND])
_conditions = st.one_of(
    st.builds(Comparison, st.sampled_from(INTS), st.sampled_from(["<", "<=", ">", ">="]), _numbers),
    st.builds(
        Membership,
        st.sampled_from(INTS),
        st.lists(_numbers, min_size=1, max_size=4).map(tuple),
        st.booleans(),
    ),
    st.builds(
        Membership,
        st.sampled_from(STRINGS),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(tuple),
        st.booleans(),
    ),
)


def _joined(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    def flat(kind: type[AllOf | AnyOf], terms: list[Expression]) -> Expression:
        inner = [t.terms if isinstance(t, kind) else (t,) for t in terms]
        return kind(tuple(t for group in inner for t in group))  # type: ignore[arg-type]

    return st.builds(flat, st.sampled_from([AllOf, AnyOf]), st.lists(parts, min_size=2, max_size=3))


filters = st.recursive(_conditions, _joined, max_leaves=6).map(Filter)
