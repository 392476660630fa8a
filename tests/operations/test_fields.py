"""Bad fields are refused by name, with the limit and the value seen."""

import base64
from typing import Any

import pytest
from imagesearch.errors import (
    BadRequest,
    InvalidBase64,
    InvalidCategory,
    InvalidField,
    MissingField,
    UnknownField,
)
from imagesearch.operations.add import AddPicture
from imagesearch.operations.fields import check_category, read
from imagesearch.operations.search import Search

PICTURE: dict[str, Any] = {"instance": "shop", "product_id": "p", "pic_name": "a.jpg"}


def add(**overrides: Any) -> AddPicture:
    return read(AddPicture, {**PICTURE, **overrides})


def test_base64_becomes_bytes_and_raw_bytes_stay() -> None:
    assert add(image=base64.b64encode(b"picture").decode()).image == b"picture"
    assert add(image=b"\xff\xd8").image == b"\xff\xd8"


def test_numbers_and_booleans_may_come_as_text() -> None:
    request = add(int_attr="-7", crop="false", category_id="4")
    assert (request.int_attr, request.crop, request.category_id) == (-7, False, 4)


def test_only_given_attributes_are_kept() -> None:
    assert add(int_attr2=0, str_attr="").attributes().given() == {"int_attr2": 0, "str_attr": ""}


@pytest.mark.parametrize(
    ("field", "code"),
    [("product_id", "NoSpecifiedProductId"), ("pic_name", "NoSpecifiedPicName")],
)
def test_a_missing_field_has_the_code_of_that_field(field: str, code: str) -> None:
    with pytest.raises(MissingField) as caught:
        read(AddPicture, {k: v for k, v in PICTURE.items() if k != field})
    assert (caught.value.code, caught.value.field) == (code, field)


@pytest.mark.parametrize(
    ("overrides", "code", "words"),
    [
        ({"product_id": "x" * 257}, "InvalidProductId", ["256", "257 characters"]),
        ({"product_id": ""}, "InvalidProductId", ["product_id", ">= 1"]),
        ({"pic_name": "x" * 300}, "InvalidPicName", ["256", "300 characters"]),
        ({"custom_content": "x" * 4097}, "InvalidCustomContent", ["4096", "4097 characters"]),
        ({"str_attr3": "x" * 129}, "InvalidStrAttr3", ["128", "129 characters"]),
        ({"int_attr": 2**31}, "InvalidIntAttr", ["2147483647", "2147483648"]),
        ({"int_attr4": "many"}, "InvalidIntAttr4", ["int", "'many'"]),
        ({"if_exists": "maybe"}, "InvalidField", ["if_exists", "'maybe'"]),
        ({"crop": "perhaps"}, "InvalidField", ["crop", "'perhaps'"]),
        ({"product_id": ["p"]}, "InvalidProductId", ["str"]),
    ],
)
def test_a_wrong_value_is_named_with_its_limit(
    overrides: dict[str, Any], code: str, words: list[str]
) -> None:
    with pytest.raises(InvalidField) as caught:
        add(**overrides)
    assert caught.value.code == code
    assert all(word in caught.value.detail for word in words), caught.value.detail


@pytest.mark.parametrize("text", ["%%%", "abc", "data:image/png;base64,AAAA"])
def test_what_is_not_base64_is_said_to_be_so(text: str) -> None:
    with pytest.raises(InvalidBase64):
        add(image=text)


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(UnknownField, match="categoryid"):
        add(categoryid=3)


@pytest.mark.parametrize(
    "overrides", [{"num": 0}, {"num": "x"}, {"start": -1}, {"score_threshold": 1.5}]
)
def test_search_limits(overrides: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        read(Search, {"instance": "shop", **overrides})


def test_a_category_outside_the_table_is_refused_with_the_table() -> None:
    check_category(None)
    check_category(88888888)
    with pytest.raises(InvalidCategory, match=r"10 is not in the table .*88888888"):
        check_category(10)
