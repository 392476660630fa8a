"""Random filters over random pictures against an oracle that shares no code with the product."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from imagesearch.catalogue import Attributes
from imagesearch.catalogue.filter import Filter, IntColumn, StringColumn, TableColumns
from imagesearch.errors import InvalidFilter

Row = Mapping[str, int | str]
INTS = ("int_attr", "int_attr2", "int_attr3", "int_attr4")
STRINGS = ("str_attr", "str_attr2", "str_attr3", "str_attr4")
SIGNS: dict[str, Callable[[int | str, int | str], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

# Few values, so that rows and filters meet; with the ends of the range among them.
numbers = st.one_of(
    st.integers(-3, 3), st.sampled_from([-(2**31), 2**31 - 1, 2**31, -(2**63), 2**70])
)
words = st.one_of(
    st.sampled_from(["", "a", "b", "ab", '"', "\\", 'a\\"b', "红", "😀", "or", ")"]),
    st.text(max_size=3),
)
space = st.sampled_from(["", " ", "\t ", "\n"])
gap = st.sampled_from([" ", "  ", "\u3000"])


@dataclass(frozen=True)
class Spoken:
    """A filter as text and as a plain function; ``rank`` 0 is OR, 1 AND, 2 anything closed."""

    text: str
    oracle: Callable[[Row], bool]
    rank: int


def written(value: int | str) -> str:
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(f"\\{c}" if c in '"\\' else c for c in value) + '"'


@st.composite
def fields(draw: st.DrawFn, names: tuple[str, ...]) -> tuple[str, str]:
    name = draw(st.sampled_from(names))
    return name, draw(st.sampled_from([name, name.replace("_a", "A"), name.upper()]))


@st.composite
def comparisons(draw: st.DrawFn) -> Spoken:
    kind, signs = draw(st.sampled_from([(INTS, list(SIGNS)), (STRINGS, ["=", "!="])]))
    name, spelling = draw(fields(kind))
    sign = draw(st.sampled_from(signs))
    value = draw(numbers if kind is INTS else words)
    text = spelling + draw(space) + sign + draw(space) + written(value)
    return Spoken(text, lambda row: name in row and SIGNS[sign](row[name], value), 2)


@st.composite
def memberships(draw: st.DrawFn) -> Spoken:
    kind, value = draw(st.sampled_from([(INTS, numbers), (STRINGS, words)]))
    name, spelling = draw(fields(kind))
    wanted = draw(st.lists(value, min_size=1, max_size=4))
    negated = draw(st.booleans())
    words_ = draw(gap).join(
        [spelling, *(["not"] if negated else []), draw(st.sampled_from(["in", "IN"]))]
    )
    opening, closing = draw(st.sampled_from(["()", "[]"]))
    comma = draw(space) + "," + draw(space)
    text = words_ + draw(space) + opening + comma.join(map(written, wanted)) + closing
    return Spoken(text, lambda row: name in row and (row[name] in wanted) != negated, 2)


@st.composite
def joined(draw: st.DrawFn, parts: st.SearchStrategy[Spoken]) -> Spoken:
    terms = draw(st.lists(parts, min_size=2, max_size=4))
    rank = draw(st.sampled_from([0, 1]))
    word = draw(st.sampled_from([("or", "OR", "Or"), ("and", "AND", "aNd")][rank : rank + 1]))
    closed = [
        t.text if t.rank >= rank and not draw(st.booleans()) else f"({t.text})" for t in terms
    ]
    text = closed[0]
    for part in closed[1:]:
        text += draw(gap) + draw(st.sampled_from(word)) + draw(gap) + part
    judge = (any, all)[rank]
    return Spoken(text, lambda row: judge(t.oracle(row) for t in terms), rank)


filters = st.recursive(st.one_of(comparisons(), memberships()), joined, max_leaves=8)
rows = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(INTS, st.integers(-3, 3) | st.sampled_from([-(2**31), 2**31 - 1])),
            **dict.fromkeys(STRINGS, words),
        },
    ),
    max_size=12,
)


@given(filters, rows)
@settings(max_examples=400, deadline=None)
def test_mask_and_matches_agree_with_the_oracle(spoken: Spoken, table: list[Row]) -> None:
    attributes = [Attributes(**row) for row in table]  # type: ignore[arg-type]
    parsed = Filter.parse(spoken.text)
    expected = [spoken.oracle(row) for row in table]
    assert [parsed.matches(a) for a in attributes] == expected
    mask = parsed.mask(TableColumns(attributes))
    assert mask.dtype == bool
    assert mask.tolist() == expected


class NarrowColumns(TableColumns):
    """Columns in the smallest types that hold their values, as a stored table may have them."""

    def ints(self, field: str) -> IntColumn:
        wide = super().ints(field)
        return IntColumn(self._narrow(wide.values), wide.present)

    def strings(self, field: str) -> StringColumn:
        wide = super().strings(field)
        return StringColumn(self._narrow(wide.codes), tuple(wide.strings))

    @staticmethod
    def _narrow(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        low, high = (values.min(), values.max()) if values.size else (0, 0)
        fits = (k for k in ("i1", "i2", "i4") if np.iinfo(k).min <= low and high <= np.iinfo(k).max)
        return values.astype(next(fits))


@given(filters, rows)
@settings(max_examples=200, deadline=None)
def test_the_width_of_a_column_does_not_matter(spoken: Spoken, table: list[Row]) -> None:
    attributes = [Attributes(**row) for row in table]  # type: ignore[arg-type]
    parsed = Filter.parse(spoken.text)
    narrow = parsed.mask(NarrowColumns(attributes))
    assert narrow.tolist() == [spoken.oracle(row) for row in table]


@given(filters)
@settings(max_examples=300, deadline=None)
def test_str_reads_back_as_an_equal_filter(spoken: Spoken) -> None:
    parsed = Filter.parse(spoken.text)
    again = Filter.parse(str(parsed))
    assert again == parsed
    assert hash(again) == hash(parsed)
    assert str(again) == str(parsed)


def read(text: str) -> Filter | InvalidFilter:
    try:
        return Filter.parse(text)
    except InvalidFilter as error:
        return error


pieces = st.sampled_from(
    [
        *"()[],=<>!\"\\ '.-+&|",
        "and",
        "OR",
        "not",
        "in",
        "int_attr",
        "str_attr2",
        "12",
        '"a"',
        ">=",
        "!=",
    ]
)


@given(st.text(max_size=60) | st.lists(pieces, max_size=30).map("".join))
@example("(" * 4096)
@example('"' * 4095)
@example("\\" * 4096)
@example(" " * 4096)
@example("int_attr in (" + "1," * 2000)
@settings(max_examples=1000, deadline=None)
def test_any_text_is_a_filter_or_is_refused(text: str) -> None:
    outcome = read(text)
    if isinstance(outcome, InvalidFilter):
        place = int(outcome.detail.split("column ")[1].split(":")[0])
        assert 1 <= place <= len(text) + 1
        assert outcome.fix.endswith("^")
    else:
        assert read(str(outcome)) == outcome


@given(filters, st.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_filter_is_still_a_filter_or_is_refused(
    spoken: Spoken, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(spoken.text)))
    cut = data.draw(st.integers(0, 3))
    text = spoken.text[:place] + data.draw(pieces | st.just("")) + spoken.text[place + cut :]
    outcome = read(text)
    assert isinstance(outcome, InvalidFilter) or read(str(outcome)) == outcome
