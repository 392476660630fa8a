"""The parameters of one call: the vendor's names, turned into those of our operations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from imagesearch.contract.request import Pairs
from imagesearch.errors import BadRequest, InvalidField, MissingField
from imagesearch.operations import fields

__all__ = ["ATTRIBUTES", "Fields", "ours", "theirs"]

ATTRIBUTES = tuple(f"{kind}Attr{n}" for n in ("", "2", "3", "4") for kind in ("Int", "Str"))

_OURS = {
    "InstanceName": "instance",
    "ProductId": "product_id",
    "PicName": "pic_name",
    "PicContent": "image",
    "CategoryId": "category_id",
    "Crop": "crop",
    "Region": "region",
    "CustomContent": "custom_content",
    "Num": "num",
    "Start": "start",
    "Filter": "filter",
    "ScoreThreshold": "score_threshold",
    "DistinctProductId": "distinct_product",
    "Text": "text",
    **{name: f"{name[:3].lower()}_attr{name[7:]}" for name in ATTRIBUTES},
}
_THEIRS = {ours: theirs for theirs, ours in _OURS.items()}

# Text may be empty on purpose in these; anywhere else an empty value is one that is not given.
_MAY_BE_EMPTY = {"CustomContent", *(name for name in ATTRIBUTES if name.startswith("Str"))}

Kind = TypeVar("Kind", bound=msgspec.Struct)


def ours(name: str) -> str:
    """Return what our operations call a parameter."""
    return _OURS.get(name, name)


def theirs(name: str) -> str:
    """Return what the vendor calls a field of our operations."""
    return _THEIRS.get(name, name)


class Fields:
    """The parameters of a call by the vendor's names."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {
            name: value for name, value in values.items() if value or name in _MAY_BE_EMPTY
        }

    @classmethod
    def gather(cls, pairs: Pairs) -> Fields:
        """Collect parameters from query and body; a name given twice is refused."""
        values: dict[str, str] = {}
        for name, value in pairs:
            if name in values:
                raise BadRequest(
                    f"parameter {name[:80]} is given twice.", fix="Send it once.", field=ours(name)
                )
            values[name] = value
        return cls(values)

    @property
    def instance(self) -> str:
        """Return the instance's name; ours are lower-case, the vendor's need not be."""
        name = self._values.get("InstanceName")
        if name is None:
            raise MissingField("instance")
        return name.lower()

    def need(self, *names: str) -> None:
        """Raise :class:`MissingField` for the first parameter that was not given."""
        for name in names:
            if name not in self._values:
                raise MissingField(ours(name))

    def get(self, name: str) -> str | None:
        """Return a parameter's text, if it was given."""
        return self._values.get(name)

    def flag(self, name: str) -> bool:
        """Return whether a parameter is true; SDKs write True, true or 1."""
        value = self._values.get(name, "false").lower()
        if value not in {"true", "false", "1", "0"}:
            raise InvalidField(name, f"{name} must be true or false, not {value[:40]!r}.")
        return value in {"true", "1"}

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """Return a whole number within limits."""
        text = self._values.get(name, str(default))
        if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
            raise InvalidField(
                name, f"{name} must be a whole number from {least} to {most}, not {text[:40]!r}."
            )
        return int(text)

    def read(self, kind: type[Kind], names: Iterable[str], **more: object) -> Kind:
        """Return the request of an operation, from these parameters and what else is known."""
        given: dict[str, Any] = {"instance": self.instance}
        given |= {ours(name): self._values[name] for name in names if name in self._values}
        return fields.read(kind, given | more)
