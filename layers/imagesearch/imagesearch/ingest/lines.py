"""Understand the lines of increment.meta, in both families of keys that the vendor has had."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from imagesearch.catalogue import CATEGORIES, Attributes, PictureKey, Region
from imagesearch.errors import (
    EmptyMeta,
    IncrementRefused,
    InvalidRegion,
    LineFieldInvalid,
    LineFieldMissing,
    LineNotJson,
    LineTooLong,
    MetaNotText,
    UnknownOperation,
)
from imagesearch.ingest.text import MAX_LINE, numbered_lines, unpacked

__all__ = ["Flaw", "Line", "parse", "read_lines"]


class Line(msgspec.Struct, array_like=True, frozen=True):
    """What one line asks for: add a picture, or delete one or a whole product.

    ``pic_name`` is empty only in a deletion of a product. ``region`` is ``x1, x2, y1, y2``.
    """

    number: int
    adds: bool
    product_id: str
    pic_name: str
    category_id: int | None = None
    region: tuple[int, int, int, int] | None = None
    crop: bool = True
    attributes: dict[str, int | str] = {}

    @property
    def key(self) -> PictureKey:
        """Return the key of the picture that the line is about."""
        return PictureKey(self.product_id, self.pic_name)

    def owner_attributes(self) -> Attributes:
        """Return what the owner attaches to the picture."""
        return Attributes(**self.attributes)  # type: ignore[arg-type]


class Flaw(msgspec.Struct, frozen=True):
    """A line that cannot be carried out, and why."""

    number: int
    error: IncrementRefused


_Name = Annotated[str, Meta(min_length=1, max_length=256)]
_Int = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] | None
_Str = Annotated[str, Meta(max_length=128)] | None


class _Given(msgspec.Struct, frozen=True, kw_only=True):
    product_id: _Name
    pic_name: _Name | None = None
    pic_list: list[_Name] | None = None
    category_id: int | None = None
    region: str | list[int] | None = None
    crop: bool = True
    custom_content: Annotated[str, Meta(max_length=4096)] | None = None
    int_attr: _Int = None
    int_attr2: _Int = None
    int_attr3: _Int = None
    int_attr4: _Int = None
    str_attr: _Str = None
    str_attr2: _Str = None
    str_attr3: _Str = None
    str_attr4: _Str = None


_ATTRIBUTES = tuple(name for name in _Given.__struct_fields__ if "attr" in name or "cust" in name)
# Keys are compared without case and underscores: OperationType, operation_type and operator alike.
_OURS = {
    "operationtype": "operation",
    "operator": "operation",
    "operation": "operation",
    "itemid": "product_id",
    "catid": "category_id",
    "custcontent": "custom_content",
    **{name.replace("_", ""): name for name in _Given.__struct_fields__},
}
# An empty text stands for a value that is not given, except where text may be empty on purpose.
_EMPTY_MEANS_ABSENT = {"category_id", "region", "pic_name", "crop"} | {
    name for name in _ATTRIBUTES if name.startswith("int")
}
_known: dict[str, str | None] = {}


def read_lines(blocks: Iterable[bytes]) -> Iterator[Line | Flaw]:
    """Yield what the lines of a stream ask for, and the flaws of those that cannot be done.

    Raises :class:`EmptyMeta`, :class:`MetaNotText` or
    :class:`~imagesearch.errors.DamagedMeta` when the whole file is unusable.
    """
    number = 0
    for number, text in numbered_lines(unpacked(blocks)):
        try:
            if text is None:
                raise LineTooLong(
                    f"the line is longer than {MAX_LINE:,} bytes.",
                    f"该行超过 {MAX_LINE:,} 字节。",
                )
            yield from parse(number, text)
        except MetaNotText:
            raise
        except IncrementRefused as error:
            yield Flaw(number, error)
    if not number:
        raise EmptyMeta(
            "increment.meta is empty or has only blank lines.", "increment.meta 为空或只有空行。"
        )


def parse(number: int, text: bytes) -> list[Line]:
    """Return what one line asks for: usually one thing, several with the older ``pic_list``."""
    given = _object(number, text)
    operation = str(given.pop("operation", "")).strip().upper()
    if operation not in {"ADD", "DELETE"}:
        seen = repr(operation[:40]) if operation else "missing"
        raise UnknownOperation(
            f"OperationType is {seen}; it must be ADD or DELETE.",
            f"OperationType 为 {seen}；只能是 ADD 或 DELETE。",
        )
    found = _fields(given)
    names = [*([found.pic_name] if found.pic_name else []), *(found.pic_list or [])]
    if operation == "ADD" and not names:
        raise _missing("PicName")
    region = _region(found.region)
    if found.category_id is not None and found.category_id not in CATEGORIES:
        raise _invalid("CategoryId", f"{found.category_id} is not in the table of categories")
    attributes = {n: value for n in _ATTRIBUTES if (value := getattr(found, n)) is not None}
    return [
        Line(
            number,
            operation == "ADD",
            found.product_id,
            name,
            found.category_id,
            region,
            found.crop,
            attributes,
        )
        for name in names or [""]
    ]


def _object(number: int, text: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _check_text(number, text)
        said = str(error)[:200]
        raise LineNotJson(f"the line is not JSON: {said}.", f"该行不是 JSON：{said}。") from None
    except RecursionError:
        raise LineNotJson("the line is nested too deep.", "该行嵌套过深。") from None
    if not isinstance(found, dict):
        kind = type(found).__name__
        raise LineNotJson(
            f"the line is a JSON {kind}, not an object.", f"该行是 JSON {kind}，不是对象。"
        )
    return _renamed(found)


def _check_text(number: int, text: bytes) -> None:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise MetaNotText(
            f"line {number} of increment.meta is not UTF-8: byte {error.start + 1} of the line "
            f"is 0x{text[error.start]:02x}.",
            f"increment.meta 第 {number} 行不是 UTF-8：该行第 {error.start + 1} 个字节为 "
            f"0x{text[error.start]:02x}。",
        ) from None


def _renamed(found: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for key, value in found.items():
        name = _our_name(key)
        if name is None or value is None or (value == "" and name in _EMPTY_MEANS_ABSENT):
            continue
        if name in given:
            raise _invalid(key[:40], "it is given twice under two names")
        given[name] = value
    return given


def _our_name(key: str) -> str | None:
    if key not in _known:
        if len(_known) > 1000:
            _known.clear()
        _known[key] = _OURS.get(key.replace("_", "").lower())
    return _known[key]


_PLACE = re.compile(r" - at `\$\.(\w+)(?:[.\[].*)?`$")
_REQUIRED = re.compile(r"missing required field `(\w+)`")


def _fields(given: dict[str, Any]) -> _Given:
    if isinstance(given.get("product_id"), int):
        given["product_id"] = str(given["product_id"])
    try:
        return msgspec.convert(given, _Given, strict=False)
    except msgspec.ValidationError as error:
        message = str(error)
    if (required := _REQUIRED.search(message)) is not None:
        raise _missing(_theirs(required[1])) from None
    place = _PLACE.search(message)
    name = place[1] if place else "line"
    wanted = message[: place.start()] if place else message
    raise _invalid(_theirs(name), f"{wanted[0].lower()}{wanted[1:].replace('`', '')}") from None


def _region(given: str | list[int] | None) -> tuple[int, int, int, int] | None:
    if given is None:
        return None
    try:
        region = Region.parse(given)
    except InvalidRegion as error:
        raise _invalid("Region", error.detail.rstrip(".")) from None
    return region.x1, region.x2, region.y1, region.y2


def _theirs(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _missing(name: str) -> LineFieldMissing:
    return LineFieldMissing(f"{name} is missing.", f"缺少 {name}。")


def _invalid(name: str, reason: str) -> LineFieldInvalid:
    return LineFieldInvalid(f"{name}: {reason}.", f"{name} 的值不符合要求（{reason}）。")
