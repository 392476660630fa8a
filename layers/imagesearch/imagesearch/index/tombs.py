"""What is dead: rows of segments that were deleted or replaced; recent deletions and changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec
import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import PictureKey
from imagesearch.errors import CorruptObject
from imagesearch.index.changes import Changes, Setting
from imagesearch.index.log import Deletion, OfProduct, Version
from imagesearch.index.sealed import seal, unseal

__all__ = ["Deletions", "Tombs"]


@dataclass(frozen=True, slots=True)
class Deletions:
    """The newest deletion of each picture and each product."""

    pictures: Mapping[PictureKey, Version] = field(default_factory=lambda: MappingProxyType({}))
    products: Mapping[str, Version] = field(default_factory=lambda: MappingProxyType({}))

    def __bool__(self) -> bool:
        return bool(self.pictures or self.products)

    def hides(self, key: PictureKey, version: Version) -> bool:
        """Tell whether a picture written at ``version`` was deleted later."""
        return max(
            self.pictures.get(key, version), self.products.get(key.product_id, version)
        ) > version  # fmt: skip

    def plus(self, more: Iterable[tuple[Deletion, Version]]) -> Deletions:
        """Return these and more deletions."""
        pictures, products = dict(self.pictures), dict(self.products)
        for deletion, version in more:
            if isinstance(deletion, OfProduct):
                product = deletion.product_id
                products[product] = max(version, products.get(product, version))
            else:
                pictures[deletion.key] = max(version, pictures.get(deletion.key, version))
        return Deletions(pictures, products)

    def merged(self, other: Deletions) -> Deletions:
        """Return the deletions of both."""
        pictures, products = dict(self.pictures), dict(self.products)
        for key, version in other.pictures.items():
            pictures[key] = max(version, pictures.get(key, version))
        for product, version in other.products.items():
            products[product] = max(version, products.get(product, version))
        return Deletions(pictures, products)

    def after(self, clock: int) -> Deletions:
        """Return the deletions later than ``clock``."""
        return Deletions(
            {key: version for key, version in self.pictures.items() if version.clock > clock},
            {name: version for name, version in self.products.items() if version.clock > clock},
        )


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    index: str
    id: str
    dead: dict[str, bytes]
    pictures: list[tuple[str, str, int, int]]
    products: list[tuple[str, int, int]]
    changes: list[tuple[str, str, str, int | str, int, int]]


# Made at import: msgspec crashes when several threads use a struct for the first time at once.
_body = msgspec.msgpack.Decoder(_Body)


@dataclass(frozen=True, slots=True)
class Tombs:
    """The dead rows of every segment, ascending, and deletions and changes that still may matter.

    They are kept until no write with a lower clock can arrive any more, that is until the
    manifest's low-water mark has passed them. What a change sets is in the rows already.
    """

    dead: Mapping[str, NDArray[np.int64]] = field(default_factory=lambda: MappingProxyType({}))
    deletions: Deletions = field(default_factory=Deletions)
    changes: Changes = field(default_factory=Changes)

    def of(self, segment: str) -> NDArray[np.int64]:
        """Return the dead rows of a segment."""
        return self.dead.get(segment, np.zeros(0, np.int64))

    def __bool__(self) -> bool:
        return bool(self.dead or self.deletions or self.changes)

    def encode(self, index: str, id: str) -> bytes:
        """Return the bytes of the tombstone object ``id``."""
        body = _Body(
            index,
            id,
            {segment: _bitmap(rows) for segment, rows in sorted(self.dead.items())},
            sorted((*key, *version) for key, version in self.deletions.pictures.items()),
            sorted((product, *version) for product, version in self.deletions.products.items()),
            sorted(
                (*key, name, setting.value, *setting.version)
                for key, settings in self.changes.settings.items()
                for name, setting in settings.items()
            ),
        )
        return seal("tombs", msgspec.msgpack.encode(body))

    @classmethod
    def decode(cls, key: str, data: bytes, *, index: str, id: str) -> Tombs:
        """Read the object ``key``; :class:`CorruptObject` unless it is whole and of ``index``."""
        try:
            body = _body.decode(unseal("tombs", key, data))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CorruptObject(f"{key} is not a tombstone object: {error}.") from None
        if (body.index, body.id) != (index, id):
            raise CorruptObject(f"{key} holds the tombstones {body.id} of index {body.index}.")
        return cls(
            {segment: _rows(bitmap) for segment, bitmap in body.dead.items()},
            Deletions(
                {PictureKey(p, n): Version(clock, op) for p, n, clock, op in body.pictures},
                {p: Version(clock, op) for p, clock, op in body.products},
            ),
            _changes(body.changes),
        )


def _changes(listed: Iterable[tuple[str, str, str, int | str, int, int]]) -> Changes:
    settings: dict[PictureKey, dict[str, Setting]] = {}
    for product, name, attribute, value, clock, operation in listed:
        setting = Setting(Version(clock, operation), value)
        settings.setdefault(PictureKey(product, name), {})[attribute] = setting
    return Changes(settings)


def _bitmap(rows: NDArray[np.int64]) -> bytes:
    """Return a bitmap, most significant bit first, that ends with the last row's byte."""
    flags = np.zeros(int(rows[-1]) + 1 if rows.size else 0, np.bool_)
    flags[rows] = True
    return np.packbits(flags).tobytes()


def _rows(bitmap: bytes) -> NDArray[np.int64]:
    return np.flatnonzero(np.unpackbits(np.frombuffer(bitmap, np.uint8)))
