"""The log: every write is one immutable object, named by its clock and its operation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Attributes, Picture, PictureKey, Region
from imagesearch.errors import CorruptObject
from imagesearch.index.features import DIMENSIONS, Features, bits_of
from imagesearch.index.sealed import seal, unseal

__all__ = [
    "MAX_DELETIONS",
    "MAX_ENTRIES",
    "Deletion",
    "Entry",
    "LogObject",
    "OfPicture",
    "OfProduct",
    "Version",
    "operation_number",
]

MAX_ENTRIES = 500
"""Pictures that one log object may add."""
MAX_DELETIONS = 10_000
"""Deletions that one log object may hold."""
_NAME = re.compile(r"(\d{20})-([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture and its look."""

    picture: Picture
    features: Features


@dataclass(frozen=True, slots=True)
class OfPicture:
    """Deletes one picture."""

    key: PictureKey


@dataclass(frozen=True, slots=True)
class OfProduct:
    """Deletes every picture of a product."""

    product_id: str


Deletion = OfPicture | OfProduct


class Version(NamedTuple):
    """When a write happened: its clock, then the number of its operation to settle ties."""

    clock: int
    operation: int

    @property
    def name(self) -> str:
        """Return the name of the write's log object; names sort as versions do."""
        return f"{self.clock:020d}-{self.operation:016x}"

    @classmethod
    def parse(cls, name: str) -> Version | None:
        """Read a log object's name; ``None`` if it is not one."""
        match = _NAME.fullmatch(name)
        return cls(int(match[1]), int(match[2], 16)) if match else None


def operation_number(operation_id: str) -> int:
    """Return the number of an operation: the first 8 bytes of the id's SHA-256, big-endian."""
    return int.from_bytes(hashlib.sha256(operation_id.encode()).digest()[:8])


class _Record(msgspec.Struct, array_like=True, frozen=True):
    product_id: str
    pic_name: str
    category_id: int
    region: tuple[int, int, int, int]
    attributes: dict[str, int | str]


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    index: str
    name: str
    previous: str
    model: str
    deletions: list[tuple[str, str | None]]
    records: list[_Record]
    rows: bytes


_decoder = msgspec.msgpack.Decoder(_Body)
_encoder = msgspec.msgpack.Encoder()


@dataclass(frozen=True, slots=True)
class LogObject:
    """One write: its deletions come first, then its entries, so that both may name a picture.

    ``index`` is the index's identity, ``previous`` the name of the newest log object that the
    writer had seen (empty if none).
    """

    index: str
    version: Version
    previous: str
    model: str
    deletions: tuple[Deletion, ...]
    entries: tuple[Entry, ...]

    def encode(self) -> bytes:
        """Return the object's bytes."""
        rows = [entry.features.row for entry in self.entries]
        body = _Body(
            index=self.index,
            name=self.version.name,
            previous=self.previous,
            model=self.model,
            deletions=[_deletion_record(deletion) for deletion in self.deletions],
            records=[_picture_record(entry.picture) for entry in self.entries],
            rows=b"".join(row.tobytes() for row in rows),
        )
        return seal("log", _encoder.encode(body))

    @classmethod
    def decode(cls, key: str, data: bytes, *, index: str) -> LogObject:
        """Read the object ``key``; :class:`CorruptObject` unless it is whole and of ``index``."""
        try:
            body = _decoder.decode(unseal("log", key, data))
        except msgspec.MsgspecError as error:
            raise CorruptObject(f"{key} is not a log object: {error}.") from None
        version = Version.parse(body.name)
        if body.index != index:
            raise CorruptObject(f"{key} belongs to another index.")
        if version is None or not key.endswith(f"/{body.name}"):
            raise CorruptObject(f"{key} holds the log object {body.name[:60]!r}.")
        if len(body.rows) != DIMENSIONS * len(body.records):
            raise CorruptObject(
                f"{key} has {len(body.records)} pictures but {len(body.rows)} bytes of rows."
            )
        return cls(
            body.index,
            version,
            body.previous,
            body.model,
            tuple(_deletion(*record) for record in body.deletions),
            _entries(body.records, np.frombuffer(body.rows, np.int8).reshape(-1, DIMENSIONS)),
        )


def latest_of_each(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Drop entries that a later one of the same key in the same write replaces."""
    return tuple({entry.picture.key: entry for entry in entries}.values())


def _picture_record(picture: Picture) -> _Record:
    region = picture.region
    return _Record(
        *picture.key,
        picture.category_id,
        (region.x1, region.x2, region.y1, region.y2),
        picture.attributes.given(),
    )


def _deletion_record(deletion: Deletion) -> tuple[str, str | None]:
    if isinstance(deletion, OfProduct):
        return deletion.product_id, None
    return deletion.key.product_id, deletion.key.pic_name


def _deletion(product_id: str, pic_name: str | None) -> Deletion:
    if pic_name is None:
        return OfProduct(product_id)
    return OfPicture(PictureKey(product_id, pic_name))


def _entries(records: Sequence[_Record], rows: NDArray[np.int8]) -> tuple[Entry, ...]:
    bits = bits_of(rows)
    return tuple(
        Entry(_picture(record), Features(row, code))
        for record, row, code in zip(records, rows, bits, strict=True)
    )


def _picture(record: _Record) -> Picture:
    return Picture(
        PictureKey(record.product_id, record.pic_name),
        record.category_id,
        Region(*record.region),
        _attributes(record.attributes),
    )


def _attributes(given: Mapping[str, int | str]) -> Attributes:
    return msgspec.convert(given, Attributes) if given else Attributes()
