"""Filters, the lines of increment.meta, what is searched for by words, cursors."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable

from imagesearch.catalogue import Attributes, PictureKey
from imagesearch.catalogue.filter import Filter, TableColumns
from imagesearch.errors import ImageSearchError, IncrementRefused, InvalidField, InvalidFilter
from imagesearch.ingest.lines import Flaw, read_lines
from imagesearch.operations.pictures import cursor_of, key_of
from imagesearch.words.query import understood
from imagesearch.words.terms import terms

from tests.fuzz.harness import Harness, expect, words

__all__ = ["HARNESSES"]

_ROWS = [
    Attributes(),
    Attributes(int_attr=1, str_attr="a"),
    Attributes(int_attr=-(2**31), int_attr4=5, str_attr3='é"'),
    Attributes(int_attr2=2**31 - 1, str_attr2="", str_attr4="\\"),
]


def _filter(data: bytes) -> None:
    """A filter is refused; or it reads its own spelling, and both ways to apply it agree."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        found = Filter.parse(text)
    except InvalidFilter as error:
        expect(error.detail, "a refusal that says nothing")
        return
    assert Filter.parse(str(found)) == found
    mask = found.mask(TableColumns(_ROWS)).tolist()
    assert mask == [found.matches(row) for row in _ROWS]


def _filters() -> Iterable[bytes]:
    yield b"int_attr > 3"
    yield 'int_attr >= -1 AND (str_attr = "é" OR str_attr2 != "\\"")'.encode()
    yield b"int_attr2 in (1, 2, 3) and str_attr not in ('a', \"b\")"
    yield b"intattr=1 or intattr4 not in [5]"
    yield b"(" * 33 + b"int_attr=1" + b")" * 33


def _meta(data: bytes) -> None:
    """A file gives lines and flaws, or is refused as a whole; however it comes in blocks."""
    blocks = [data[at : at + 100] for at in range(0, len(data), 100)]
    found: list[object] = []
    for cut in ([data], blocks):
        try:
            lines = list(read_lines(iter(cut)))
        except IncrementRefused as error:
            expect(error.detail, "a refusal that says nothing")
            found.append(None)
            continue
        seen = tuple((one.number, isinstance(one, Flaw)) for one in lines)
        found.append(seen)
        assert all(one.product_id for one in lines if not isinstance(one, Flaw))
    assert found[0] == found[1]


def _metas() -> Iterable[bytes]:
    lines = [
        {"OperationType": "ADD", "ProductId": "p", "PicName": "a.jpg", "Region": "0,9,0,9"},
        {"OperationType": "DELETE", "ProductId": "p"},
        {"operator": "ADD", "item_id": "1", "cat_id": "5", "pic_list": ["a"], "cust_content": "c"},
        {"OperationType": "ADD", "ProductId": "p", "PicName": "b", "IntAttr": 5, "Crop": False},
    ]
    text = "\n".join(map(json.dumps, lines)).encode()
    yield text
    yield b"[" * 4000
    yield b'{"OperationType":' * 240
    yield b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n")
    yield gzip.compress(text, mtime=0)
    yield gzip.compress(text, mtime=0) + gzip.compress(b"\n{}", mtime=0)


def _words(data: bytes) -> None:
    """What somebody searches for: understood, or refused as saying nothing."""
    text = data.decode("utf-8", "replace")
    try:
        expect(understood(text).strip(), "understood as nothing")
    except ImageSearchError as error:
        expect(400 <= error.status < 500, "not the caller's fault")
    found = terms(text)
    expect(all(found), "an empty term")


def _searches() -> Iterable[bytes]:
    yield b"show me a photo of red chairs, please"
    yield "找一张红色椅子的图片".encode()
    yield "éclair Ⅷ ﬁne １２ 🎉".encode()


def _place(data: bytes) -> None:
    """A cursor of a list: ours, or refused; ours is the one it was made from."""
    text = data.decode("latin-1")
    try:
        key = key_of(text)
    except InvalidField as error:
        expect(error.field == "cursor", "the field is not named")
        return
    assert key_of(cursor_of(key)) == key


def _places() -> Iterable[bytes]:
    yield cursor_of(PictureKey("p", "a.jpg")).encode()
    yield cursor_of(PictureKey("杯/1", "é ü")).encode()
    yield b"W1tb" * 1000


HARNESSES = (
    Harness(
        "filter",
        _filter,
        _filters,
        words(
            r"int_attr str_attr4 \x20AND\x20 \x20OR\x20 \x20in\x20( \x20not\x20in\x20 "
            r'!= " \\ ( ) [ ] 2147483648 \xe3\x80\x80'
        ),
    ),
    Harness(
        "meta",
        _meta,
        _metas,
        words(
            r'"OperationType" "ADD" "DELETE" "ProductId" "PicName" "pic_list" null "" 1e400 '
            r"\r\n \xef\xbb\xbf \x1f\x8b \\u0000"
        ),
    ),
    Harness("words", _words, _searches, words(r"photo\x20of \xe7\x9a\x84 \xe2\x80\x8b \xcc\x81")),
    Harness("cursor", _place, _places, words("WyJ IiwiIl0 = -_")),
)
