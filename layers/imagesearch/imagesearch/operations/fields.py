"""The fields of requests: their types and limits, and the errors that name them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from imagesearch.catalogue import CATEGORIES, Attributes
from imagesearch.errors import (
    BadRequest,
    InvalidBase64,
    InvalidCategory,
    InvalidField,
    MissingField,
    TooDeepResults,
    TooManyResults,
    UnknownField,
)

__all__ = [
    "AttributeFields",
    "CategoryId",
    "DistinctBy",
    "FilterText",
    "HitFields",
    "IntAttr",
    "OperationFields",
    "PagedHitFields",
    "PicName",
    "ProductId",
    "StrAttr",
    "check_category",
    "check_page",
    "read",
]

MAX_NUM = 100
"""Results that one answer may carry."""
MAX_DEPTH = 500
"""Results that paging may reach."""

ProductId = Annotated[
    str, Meta(min_length=1, max_length=256, description="The product's id, 1 to 256 characters.")
]
PicName = Annotated[
    str, Meta(min_length=1, max_length=256, description="The picture's name within its product.")
]
CategoryId = Annotated[int, Meta(description="A category of the product table.")]
IntAttr = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1, description="A 32-bit whole number.")]
StrAttr = Annotated[str, Meta(max_length=128, description="Up to 128 characters.")]
DistinctBy = Annotated[
    Literal["product_id", "str_attr", "str_attr2", "str_attr3", "str_attr4"],
    Meta(description="One hit for each value; pictures without one stand for themselves."),
]
FilterText = Annotated[
    str, Meta(min_length=1, max_length=4096, description='Such as int_attr > 3 AND str_attr = "a".')
]


class OperationFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of one operation; every operation works on an instance."""

    instance: str


class HitFields(OperationFields, frozen=True, kw_only=True):
    """Which hits a search is to give."""

    num: Annotated[int, Meta(ge=1, description="At most 100.")] = 10
    filter: FilterText | None = None
    score_threshold: Annotated[float, Meta(ge=0, le=1)] = 0.0
    distinct_product: bool = False
    min_sequence: Annotated[int, Meta(ge=0)] | None = None


class PagedHitFields(HitFields, frozen=True, kw_only=True):
    """Which hits of which page, and of which category."""

    start: Annotated[int, Meta(ge=0, description="At most 499.")] = 0
    category_id: CategoryId | None = None
    distinct_by: DistinctBy | None = None


class AttributeFields(OperationFields, frozen=True, kw_only=True):
    """What an owner may attach to a picture."""

    int_attr: IntAttr | None = None
    int_attr2: IntAttr | None = None
    int_attr3: IntAttr | None = None
    int_attr4: IntAttr | None = None
    str_attr: StrAttr | None = None
    str_attr2: StrAttr | None = None
    str_attr3: StrAttr | None = None
    str_attr4: StrAttr | None = None
    custom_content: Annotated[str, Meta(max_length=4096)] | None = None

    def attributes(self) -> Attributes:
        """Return the attributes that were given."""
        return Attributes(
            **{name: getattr(self, name) for name in AttributeFields.__struct_fields__[1:]}
        )


Fields = TypeVar("Fields", bound=msgspec.Struct)


def read(kind: type[Fields], given: dict[str, Any]) -> Fields:
    """Check ``given`` against ``kind``; a :class:`BadRequest` names the field that is wrong.

    Numbers and booleans may come as text, as they do in a query or a form.
    """
    try:
        return msgspec.convert(given, kind, strict=False, from_attributes=False)
    except msgspec.ValidationError as error:
        raise _meaning(str(error), given) from None


_PATH = re.compile(r" - at `\$\.(\w+)(?:[.\[].*)?`$")
_NAME = re.compile(r"field `(.+)`")


def _meaning(message: str, given: dict[str, Any]) -> BadRequest:
    """Turn msgspec's sentence into the error of ours that names field, limit and value."""
    named = _NAME.search(message)
    if message.startswith("Object missing required field") and named:
        return MissingField(named[1])
    if message.startswith("Object contains unknown field") and named:
        return UnknownField(
            f"{named[1][:80]} is not a field of this request.",
            fix="Remove it, or check its spelling in docs/http-api.md.",
            field=named[1][:80],
        )
    place = _PATH.search(message)
    if not place:
        return BadRequest(message)
    name, wanted = place[1], message[: place.start()]
    if wanted.startswith("Invalid base64"):
        return InvalidBase64(f"{name} is not Base64.", field=name)
    return InvalidField(name, f"{name}: {_plain(wanted)}; got {_seen(given.get(name))}.")


def _plain(wanted: str) -> str:
    return wanted[0].lower() + wanted[1:].partition(", got")[0].replace("`", "")


def _seen(value: object) -> str:
    """Describe a value without repeating much of it."""
    if isinstance(value, str):
        return f"{value[:40]!r}" if len(value) <= 40 else f"{len(value)} characters"
    if isinstance(value, int | float | bool | None):
        return str(value)
    return type(value).__name__


def check_page(num: int, start: int) -> None:
    """Raise unless a page of ``num`` results from ``start`` lies within the first 500."""
    if num > MAX_NUM:
        raise TooManyResults(f"num is {num}; the limit is {MAX_NUM}.", field="num")
    if start + num > MAX_DEPTH:
        raise TooDeepResults(
            f"start {start} + num {num} reaches past result {MAX_DEPTH}.", field="start"
        )


def check_category(category_id: int | None) -> None:
    """Raise :class:`InvalidCategory` unless the id is in the table or not given."""
    if category_id is not None and category_id not in CATEGORIES:
        raise InvalidCategory(
            f"category_id {category_id} is not in the table ({', '.join(map(str, CATEGORIES))}).",
            field="category_id",
        )
