"""The log: every write is one immutable object, named by its clock and its operation."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Attributes, Picture, PictureKey
from imagesearch.errors import CorruptObject
from imagesearch.index.features import DIMENSIONS, Features, bits_of, encode, levels
from imagesearch.index.records import Record
from imagesearch.index.sealed import seal, unseal

__all__ = [
    "MAX_CHANGES",
    "MAX_DELETIONS",
    "MAX_ENTRIES",
    "Change",
    "Deletion",
    "Entry",
    "LogObject",
    "OfPicture",
    "OfProduct",
    "Version",
    "check_sizes",
    "latest_of_each",
    "operation_number",
]

MAX_ENTRIES = 500
"""Pictures that one log object may add."""
MAX_DELETIONS = 10_000
"""Deletions that one log object may hold."""
MAX_CHANGES = 500
"""Changes that one log object may hold."""
MAX_THUMBNAIL = 120
"""Characters of a thumbnail's reference."""
MAX_CLASSES = 3
"""Classes that are kept of a picture."""
_ATTRIBUTES = frozenset(field.name for field in dataclasses.fields(Attributes))
_NAME = re.compile(r"(\d{20})-([0-9a-f]{16})")


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A picture and its look.

    ``meaning`` is its place in the space that texts have a place in as well: (512,) int8, of
    which only the direction matters; ``None`` if it is not known.
    """

    picture: Picture
    features: Features
    meaning: NDArray[np.int8] | None = None

    @classmethod
    def of(
        cls,
        picture: Picture,
        vector: NDArray[np.floating[Any]],
        meaning: NDArray[np.floating[Any]] | None,
    ) -> Entry:
        """Return the entry of a picture whose vector and meaning (512,) were just seen."""
        return cls(picture, encode(vector), None if meaning is None else levels(meaning))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def _parts(self) -> tuple[Picture, Features, bytes | None]:
        meaning = None if self.meaning is None else self.meaning.tobytes()
        return self.picture, self.features, meaning


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

    @staticmethod
    @lru_cache(maxsize=4096)  # every look lists the same names again, but for a few
    def parse(name: str) -> Version | None:
        """Read a log object's name; ``None`` if it is not one."""
        match = _NAME.fullmatch(name)
        return Version(int(match[1]), int(match[2], 16)) if match else None


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Changes a picture that is there, but for its look; others of its properties stay.

    ``attributes`` are set on whichever picture has the key then, each by itself: of two changes
    of one attribute the later counts. ``thumbnail``, ``classes`` and ``meaning``, where they are
    not ``None``, were found out by looking at the picture that was written at ``of``; they are
    set only if it is still that one.
    """

    key: PictureKey
    attributes: Mapping[str, int | str] = field(default_factory=lambda: MappingProxyType({}))
    of: Version | None = None
    thumbnail: str | None = None
    classes: tuple[int, ...] | None = None
    meaning: NDArray[np.int8] | None = None


def operation_number(operation_id: str) -> int:
    """Return the number of an operation: the first 8 bytes of the id's SHA-256, big-endian."""
    return int.from_bytes(hashlib.sha256(operation_id.encode()).digest()[:8])


class _ChangeRecord(msgspec.Struct, array_like=True, frozen=True):
    product_id: str
    pic_name: str
    attributes: dict[str, int | str]
    of: str
    thumbnail: str | None
    classes: tuple[int, ...] | None
    meaning: bytes | None


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    index: str
    name: str
    previous: str
    model: str
    deletions: list[tuple[str, str | None]]
    records: list[Record]
    rows: bytes
    meanings: dict[int, bytes] = {}
    changes: list[_ChangeRecord] = []


_decoder = msgspec.msgpack.Decoder(_Body)
_encoder = msgspec.msgpack.Encoder()


@dataclass(frozen=True, slots=True)
class LogObject:
    """One write: deletions come first, then entries, then changes; all may name one picture.

    ``index`` is the index's identity, ``previous`` the name of the newest log object that the
    writer had seen (empty if none).
    """

    index: str
    version: Version
    previous: str
    model: str
    deletions: tuple[Deletion, ...]
    entries: tuple[Entry, ...] = ()
    changes: tuple[Change, ...] = ()

    def encode(self) -> bytes:
        """Return the object's bytes."""
        rows = [entry.features.row for entry in self.entries]
        meanings = [(i, entry.meaning) for i, entry in enumerate(self.entries)]
        body = _Body(
            index=self.index,
            name=self.version.name,
            previous=self.previous,
            model=self.model,
            deletions=[_deletion_record(deletion) for deletion in self.deletions],
            records=[Record.of(entry.picture) for entry in self.entries],
            rows=b"".join(row.tobytes() for row in rows),
            meanings={i: meaning.tobytes() for i, meaning in meanings if meaning is not None},
            changes=[_change_record(change) for change in self.changes],
        )
        return seal("log", _encoder.encode(body))

    @classmethod
    def decode(cls, key: str, data: bytes, *, index: str) -> LogObject:
        """Read the object ``key``; :class:`CorruptObject` unless it is whole and of ``index``."""
        try:
            body = _decoder.decode(unseal("log", key, data))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
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
        if any(len(m) != DIMENSIONS for m in _meanings(body)):
            raise CorruptObject(f"{key} has a meaning that is not of {DIMENSIONS} bytes.")
        return cls(
            body.index,
            version,
            body.previous,
            body.model,
            tuple(_deletion(*record) for record in body.deletions),
            _entries(body),
            tuple(_change(record) for record in body.changes),
        )


def check_sizes(
    entries: Sequence[Entry], deletions: Sequence[Deletion], changes: Sequence[Change]
) -> None:
    """Raise :class:`ValueError` for a write that is too large, or a part that has no form."""
    limits = {"entries": MAX_ENTRIES, "deletions": MAX_DELETIONS, "changes": MAX_CHANGES}
    for (name, limit), given in zip(limits.items(), (entries, deletions, changes), strict=True):
        if len(given) > limit:
            raise ValueError(f"{len(given)} {name} in one write; at most {limit} are allowed.")
    for entry in entries:
        _check_parts(entry.picture.thumbnail, entry.picture.classes, entry.meaning)
    for change in changes:
        seen = change.thumbnail, change.classes, change.meaning
        _check_parts(change.thumbnail or "", change.classes or (), change.meaning)
        if change.of is None and any(part is not None for part in seen):
            raise ValueError(f"the change of {change.key} must say of which version it is.")
        if not change.attributes.keys() <= _ATTRIBUTES:
            raise ValueError(f"there is no attribute of one of these names: {change.attributes}.")


def _check_parts(
    thumbnail: str, classes: tuple[int, ...], meaning: NDArray[np.int8] | None
) -> None:
    if len(thumbnail) > MAX_THUMBNAIL:
        raise ValueError(f"a thumbnail has at most {MAX_THUMBNAIL} characters, not {thumbnail!r}.")
    if len(classes) > MAX_CLASSES or not all(0 <= number < 1000 for number in classes):
        raise ValueError(f"at most {MAX_CLASSES} classes, each from 0 to 999, not {classes}.")
    if meaning is not None and (meaning.dtype != np.int8 or meaning.shape != (DIMENSIONS,)):
        raise ValueError(f"a meaning is int8 ({DIMENSIONS},), not {meaning.dtype} {meaning.shape}.")


def latest_of_each(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Drop entries that a later one of the same key in the same write replaces."""
    return tuple({entry.picture.key: entry for entry in entries}.values())


def _change_record(change: Change) -> _ChangeRecord:
    return _ChangeRecord(
        *change.key,
        dict(change.attributes),
        change.of.name if change.of else "",
        change.thumbnail,
        change.classes,
        None if change.meaning is None else change.meaning.tobytes(),
    )


def _change(record: _ChangeRecord) -> Change:
    return Change(
        PictureKey(record.product_id, record.pic_name),
        record.attributes,
        Version.parse(record.of),
        record.thumbnail,
        record.classes,
        _meaning(record.meaning),
    )


def _meaning(given: bytes | None) -> NDArray[np.int8] | None:
    return None if given is None else np.frombuffer(given, np.int8)


def _meanings(body: _Body) -> Iterator[bytes]:
    yield from body.meanings.values()
    yield from (change.meaning for change in body.changes if change.meaning is not None)


def _deletion_record(deletion: Deletion) -> tuple[str, str | None]:
    if isinstance(deletion, OfProduct):
        return deletion.product_id, None
    return deletion.key.product_id, deletion.key.pic_name


def _deletion(product_id: str, pic_name: str | None) -> Deletion:
    if pic_name is None:
        return OfProduct(product_id)
    return OfPicture(PictureKey(product_id, pic_name))


def _entries(body: _Body) -> tuple[Entry, ...]:
    rows = np.frombuffer(body.rows, np.int8).reshape(-1, DIMENSIONS)
    parts = zip(body.records, rows, bits_of(rows), strict=True)
    return tuple(
        Entry(record.picture(), Features(row, code), _meaning(body.meanings.get(i)))
        for i, (record, row, code) in enumerate(parts)
    )
