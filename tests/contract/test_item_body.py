"""The 2018 body: what SDKs build is read back in either unit; broken ones are refused by name."""

import base64
import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagesearch.contract.item_body import parse_item_body
from imagesearch.contract.refusals import UnreadableItemBody

from tests.contract.wire import VECTORS


def java_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def python_length(text: str) -> int:
    return len(text.encode())


def build(values: dict[str, str], length: Callable[[str], int]) -> bytes:
    """Build a body as the vendor's SDKs do, counting in ``length``'s unit."""
    entries, content, at = [], "", 0
    for key, value in values.items():
        entries.append(f"{key},{at},{at + length(value)}")
        content, at = content + value, at + length(value)
    return ("#".join(entries) + "^" + content).encode()


KEYS = st.text("abcdefghijklmnopqrstuvwxyzABC=+/_0123456789", min_size=1, max_size=12)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(
    st.dictionaries(KEYS, VALUES, min_size=1, max_size=8),
    st.sampled_from([java_length, python_length]),
)
def test_what_an_sdk_builds_is_read_back(
    values: dict[str, str], length: Callable[[str], int]
) -> None:
    assert parse_item_body(build(values, length)) == values


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(UnreadableItemBody):
        assert parse_item_body(body)


def test_a_real_add() -> None:
    values = parse_item_body(VECTORS["pylegacy-1.0.1-py3port.AddItem"].body)
    names = [base64.b64decode(n).decode() for n in values["pic_list"].split(",")]
    assert names == ["shoes1.jpg", "shoes2.jpg"]
    assert (values["item_id"], values["cat_id"]) == ("1000", "0")
    assert values["cust_content"] == '{"key1":"value1"}'
    assert base64.b64decode(values["c2hvZXMyLmpwZw=="]) == b"IMG22"


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (b"item_id,0,4", "NoCaretSeperator", "no '\\^'"),
        (b"", "NoCaretSeperator", "no '\\^'"),
        (b"^1000", "EmptyMeta", "empty"),
        (b"item_id,0^1000", "InvalidMetaItem", "key,start,end"),
        (b"item_id,0,4#^1000", "InvalidMetaItem", "key,start,end"),
        (b"item_id,-1,4^1000", "InvalidMetaItem", "key,start,end"),
        (b"item_id,4,0^1000", "InvalidMetaItem", "ends before"),
        (b"item_id,0,5^1000", "InvalidMetaItem", "ends at 5, but the content has 4"),
        (b"item_id,0,2#item_id,2,4^1000", "InvalidMetaItem", "twice"),
        (b"\xff,0,4^1000", "InvalidMetaItem", "UTF-8"),
        ("a,0,9^商品".encode(), "InvalidMetaItem", "6 bytes, or 2 UTF-16 units"),
        ("a,0,1#b,1,6^商品".encode()[:-1], "InvalidMetaItem", "not UTF-8"),
        ("a,0,1#b,1,6^商品".encode(), "InvalidMetaItem", "inside a character"),
        (b"#".join(b"k%d,0,0" % n for n in range(201)) + b"^", "InvalidMetaItem", "at most 200"),
    ],
)
def test_a_broken_body_is_refused_by_name(body: bytes, code: str, says: str) -> None:
    with pytest.raises(UnreadableItemBody, match=says) as refused:
        parse_item_body(body)
    assert refused.value.code == code
