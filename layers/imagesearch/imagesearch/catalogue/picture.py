"""A catalogued picture: its key, what the owner says of it, and what was seen in it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

from imagesearch.catalogue.region import Region

__all__ = ["Attributes", "Picture", "PictureKey"]


class PictureKey(NamedTuple):
    """What identifies a picture within its instance; a product has one picture or many."""

    product_id: str
    pic_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What the owner attached to a picture; ``None`` is not given."""

    int_attr: int | None = None
    int_attr2: int | None = None
    int_attr3: int | None = None
    int_attr4: int | None = None
    str_attr: str | None = None
    str_attr2: str | None = None
    str_attr3: str | None = None
    str_attr4: str | None = None
    custom_content: str | None = None

    def given(self) -> dict[str, int | str]:
        """Return the attributes that were given, by name."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in values if value is not None}


@dataclass(frozen=True, slots=True)
class Picture:
    """One catalogued picture, without its vectors.

    ``thumbnail`` refers to a small copy of it (at most 120 characters, empty if there is none),
    ``classes`` are the most likely of 1000 classes of things, best first (at most 3).
    """

    key: PictureKey
    category_id: int
    region: Region
    attributes: Attributes = Attributes()
    thumbnail: str = ""
    classes: tuple[int, ...] = ()
