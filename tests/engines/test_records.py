"""A row that an engine gives back is the one that was put there, or is refused."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imagesearch.catalogue import Attributes, Picture, PictureKey, Region
from imagesearch.engines import records
from imagesearch.engines.attributes import LONGEST_NAME, string_name
from imagesearch.errors import CorruptObject
from imagesearch.index.engine import HeldRow
from imagesearch.index.log import Version

from tests.index.makers import look

text = st.text(max_size=20)
whole = st.integers(-(2**63), 2**63 - 1)
clocks = st.integers(0, 2**64 - 1)
attributes = st.builds(
    Attributes, int_attr=st.none() | whole, str_attr4=st.none() | text, custom_content=text
)
pictures = st.builds(
    Picture,
    st.builds(PictureKey, text, text),
    st.integers(0, 10**8),
    st.builds(Region, *[st.integers(0, 70_000)] * 4),
    attributes,
    text,
    st.lists(st.integers(0, 999), max_size=3).map(tuple),
)
rows = st.builds(
    HeldRow,
    st.just("000000000001-00aa"),
    st.integers(0, 2**31),
    st.builds(Version, clocks, clocks),
    pictures,
    st.integers(0, 3).map(lambda seed: look(seed).row),
)


def same(a: HeldRow, b: HeldRow) -> bool:
    return np.array_equal(a.look, b.look) and replace(a, look=b.look) == b


@settings(deadline=None)
@given(rows)
def test_a_row_is_read_as_it_was_written(row: HeldRow) -> None:
    text = records.encode(row)
    assert text.isascii()
    found = records.decode(row.id, text)
    assert found.look.dtype == np.int8
    assert same(found, row)


PICTURE = Picture(PictureKey("p", "n"), 3, Region(0, 1, 0, 1), Attributes(int_attr=1), "t", (1,))
ROW = HeldRow("s", 7, Version(1, 2), PICTURE, look(1).row)


@settings(deadline=None)
@given(st.binary(max_size=40) | st.text(max_size=40) | st.integers() | st.none())
def test_what_is_no_record_is_refused(given: object) -> None:
    with pytest.raises(CorruptObject, match="cannot be read"):
        records.decode(ROW.id, given)


@pytest.mark.parametrize("step", range(0, 900, 37))
def test_an_altered_record_is_refused(step: int) -> None:
    data = bytearray(b64decode(records.encode(ROW)))
    data[step % len(data)] ^= 0x10
    with pytest.raises(CorruptObject):
        records.decode(ROW.id, b64encode(data).decode())
    with pytest.raises(CorruptObject):
        records.decode(ROW.id, b64encode(data[: step % len(data)]).decode())


def test_the_record_of_another_row_is_refused() -> None:
    with pytest.raises(CorruptObject, match="holds the row"):
        records.decode("s-" + "0" * 32, records.encode(ROW))


def test_a_record_stays_small() -> None:
    assert len(records.encode(ROW)) < 900


@given(text, text)
def test_strings_share_a_name_only_if_they_are_equal(a: str, b: str) -> None:
    assert (string_name(a) == string_name(b)) is (a == b)


@settings(max_examples=300)
@given(st.text(max_size=200))
def test_names_need_no_quoting(value: str) -> None:
    name = string_name(value)
    assert 0 < len(name) <= LONGEST_NAME
    assert name.isascii()
    assert not set(name) & set("\"'\\\n\x00")
    assert string_name(name) == name or name.startswith("#")
