"""increment.meta: both families of keys, packed or not, whatever the blocks it comes in."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.errors import DamagedMeta, EmptyMeta
from imagesearch.ingest.lines import Flaw, Line, parse, read_lines
from imagesearch.ingest.text import MAX_LINE, numbered_lines, unpacked


def test_the_current_keys() -> None:
    [line] = parse(
        3,
        b'{"OperationType":"ADD","ProductId":"p","PicName":"a/b.jpg","CategoryId":"3","Crop":false,'
        b'"Region":"1,2,3,4","CustomContent":"","IntAttr":-5,"StrAttr2":"x","IntAttr4":"7"}',
    )
    assert line == Line(
        3,
        True,
        "p",
        "a/b.jpg",
        3,
        (1, 2, 3, 4),
        False,
        {"custom_content": "", "int_attr": -5, "int_attr4": 7, "str_attr2": "x"},
    )


def test_the_keys_of_2018_name_several_pictures() -> None:
    lines = parse(
        1,
        b'{"operator":"ADD","item_id":12,"cat_id":0,"cust_content":"k=v","pic_list":["a","b"]}',
    )
    assert [(one.product_id, one.pic_name, one.category_id) for one in lines] == [
        ("12", "a", 0),
        ("12", "b", 0),
    ]
    assert lines[0].owner_attributes().custom_content == "k=v"


def test_a_deletion_needs_no_picture() -> None:
    [line] = parse(1, b'{"OperationType":"delete","ProductId":"p","PicName":""}')
    assert (line.adds, line.pic_name) == (False, "")


@given(
    st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")), max_size=20), st.data()
)
def test_lines_are_the_same_however_the_stream_is_cut(
    lines: list[bytes], data: st.DataObject
) -> None:
    whole = b"\n".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=10)))
    blocks = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert list(numbered_lines(blocks)) == list(numbered_lines([whole]))


@given(st.binary(max_size=5000), st.integers(1, 700), st.integers(1, 4))
def test_packed_is_the_same_as_plain(body: bytes, size: int, members: int) -> None:
    packed = gzip.compress(body) * members
    blocks = [packed[start : start + size] for start in range(0, len(packed), size)]
    assert b"".join(unpacked(blocks)) == body * members


@given(st.integers(1, 60))
def test_what_is_cut_short_is_damaged(left: int) -> None:
    packed = gzip.compress(b"x" * 1000 + bytes(range(256)))
    with pytest.raises(DamagedMeta):
        b"".join(unpacked([packed[: max(2, len(packed) - left)]]))


def test_blank_lines_count_and_a_byte_order_mark_does_not() -> None:
    text = b'\xef\xbb\xbf\r\n{"operator":"DELETE","item_id":"p"}\r\n\n{}'
    found = list(read_lines([text]))
    assert [one.number for one in found] == [2, 4]
    assert isinstance(found[1], Flaw)


@pytest.mark.parametrize("text", [b"", b"\n\n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)])
def test_nothing_is_refused(text: bytes) -> None:
    with pytest.raises(EmptyMeta):
        list(read_lines([text]))


def test_memory_does_not_grow_with_the_file_nor_with_a_line_without_end() -> None:
    line = b'{"OperationType":"ADD","ProductId":"p","PicName":"a.jpg"}\n'

    def blocks() -> Iterator[bytes]:
        for _ in range(60):
            yield line * 500
        for _ in range(100):
            yield b"x" * 1_000_000

    tracemalloc.start()
    found = sum(1 for _ in read_lines(blocks()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == 60 * 500 + 1
    assert peak < 40 * MAX_LINE
