"""What a worker is asked and what it answers: MessagePack, in Base64, in JSON.

Only functions of the deployment can send either; all the same each side believes nothing that it
did not check, so that a mistake in one release is a refusal in the next, never a wrong answer.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from imagesearch.catalogue import PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.catalogue.filter.parser import parse
from imagesearch.errors import InvalidFilter
from imagesearch.index.changes import Changes, Setting
from imagesearch.index.features import DIMENSIONS, Features, Likeness, bits_of
from imagesearch.index.groups import GROUPINGS, PRODUCT
from imagesearch.index.log import Version
from imagesearch.index.manifest import SegmentInfo
from imagesearch.index.query import Hit, Query
from imagesearch.index.records import Record
from imagesearch.index.tail import Tail
from imagesearch.index.tombs import Deletions

__all__ = [
    "LONGEST",
    "Ask",
    "Corrupt",
    "HitRecord",
    "QueryRecord",
    "Reply",
    "TailRecord",
    "Task",
    "Unreadable",
    "event_of",
    "first_of",
    "task_in",
]

Ask = Callable[[int, bytes], bytes]
"""Gives the worker of a number, from 0, a JSON event and returns its JSON answer.

Raises :class:`~imagesearch.errors.FanOutUnavailable` when there is none.
"""
LONGEST = 6_000_000
"""Bytes of an event or an answer; Lambda takes 6,291,556."""

_Name = Annotated[str, Meta(pattern=r"^[0-9a-z_-]{1,100}$")]
_Prefix = Annotated[str, Meta(pattern=r"^([0-9a-z_-]+/)+$", max_length=200)]
_Number = Annotated[int, Meta(ge=0)]
_ID = re.compile(r"[0-9a-z-]{1,100}", re.ASCII)
_FILES = frozenset({"meta", "b1", "i8", "usearch", "m8"})
_MOST_BYTES = 1 << 33


class Unreadable(ValueError):
    """What came is not what the other side would have sent."""


class QueryRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query for the ``num`` best; ``filter`` and ``distinct_by`` are empty for none."""

    row: Annotated[bytes, Meta(min_length=DIMENSIONS, max_length=DIMENSIONS)]
    category_id: int | None
    filter: str
    num: Annotated[int, Meta(ge=0, le=100_000)]
    score_threshold: Annotated[float, Meta(ge=0, le=1)]
    distinct_by: str

    @classmethod
    def of(cls, query: Query) -> QueryRecord:
        """Describe a query whose hits are wanted from the first one on."""
        return cls(
            query.features.row.tobytes(),
            query.category_id,
            str(query.filter) if query.filter else "",
            query.end,
            query.score_threshold,
            query.distinct_by if query.distinct_product else "",
        )

    def query(self) -> Query:
        """Return the query; :class:`Unreadable` for a filter or grouping there is not."""
        if self.distinct_by and self.distinct_by not in GROUPINGS:
            raise Unreadable(f"hits cannot be grouped by {self.distinct_by!r}")
        row = np.frombuffer(self.row, np.int8)
        try:
            # Full spelling may be longer than what a caller may send.
            selected = Filter(parse(self.filter)) if self.filter else None
        except InvalidFilter as error:
            raise Unreadable(error.detail) from None
        return Query(
            features=Features(row, bits_of(row[np.newaxis])[0]),
            category_id=self.category_id,
            filter=selected,
            num=self.num,
            score_threshold=self.score_threshold,
            distinct_product=bool(self.distinct_by),
            distinct_by=self.distinct_by or PRODUCT,
        )


class _SettingRecord(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    product_id: str
    pic_name: str
    name: Literal[
        "int_attr", "int_attr2", "int_attr3", "int_attr4",
        "str_attr", "str_attr2", "str_attr3", "str_attr4",
        "custom_content", "thumbnail", "classes",
    ]  # fmt: skip
    value: int | str | tuple[int, ...] | None
    at: tuple[_Number, _Number]
    of: tuple[_Number, _Number] | None


class TailRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the log's tail does to rows of segments: hides some, changes some.

    A picture that it writes hides the earlier rows of its key, which is all that deleting it does
    to them. A deletion without a name is of the whole product.
    """

    hidden: list[tuple[str, str | None, _Number, _Number]]
    settings: list[_SettingRecord]

    @classmethod
    def of(cls, tail: Tail) -> TailRecord:
        """Describe a tail."""
        hidden: list[tuple[str, str | None, int, int]] = [
            *((*key, *write.version) for key, write in tail.writes.items()),
            *((*key, *version) for key, version in tail.deletions.pictures.items()),
            *((name, None, *version) for name, version in tail.deletions.products.items()),
        ]
        settings = [
            _SettingRecord(*key, name, setting.value, setting.version, setting.of)  # type: ignore[arg-type]
            for key, given in tail.changes.settings.items()
            for name, setting in given.items()
            if name != "meaning"  # no part of a hit
        ]
        return cls(hidden, settings)

    def tail(self) -> Tail:
        """Return a tail that does the same to rows of segments, and adds nothing."""
        pictures: dict[PictureKey, Version] = {}
        products: dict[str, Version] = {}
        for product_id, pic_name, *numbers in self.hidden:
            version = Version(*numbers)
            if pic_name is None:
                products[product_id] = max(version, products.get(product_id, version))
            else:
                key = PictureKey(product_id, pic_name)
                pictures[key] = max(version, pictures.get(key, version))
        settings: dict[PictureKey, dict[str, Setting]] = {}
        for one in self.settings:
            setting = Setting(Version(*one.at), one.value, Version(*one.of) if one.of else None)
            key = PictureKey(one.product_id, one.pic_name)
            settings.setdefault(key, {})[one.name] = setting
        return Tail(deletions=Deletions(pictures, products), changes=Changes(settings))


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some segments of an index to rank, as one look at the store found them.

    ``index`` is the identity, ``tombs`` names the object with dead rows, ``candidates`` and
    ``cold_candidates`` are the policy's. The first ``skip`` hits are known already.
    """

    format: Literal[1]
    prefix: _Prefix
    index: _Name
    model: str
    tombs: Annotated[str, Meta(pattern=r"^[0-9a-z_-]{0,100}$")]
    segments: list[SegmentInfo]
    tail: TailRecord
    query: QueryRecord
    candidates: Annotated[int, Meta(ge=1)]
    cold_candidates: Annotated[int, Meta(ge=1)]
    skip: _Number = 0

    def checked(self) -> Task:
        """Return the task itself; :class:`Unreadable` for segments that no manifest would name."""
        for info in self.segments:
            sizes = [file.size for file in info.files.values()]
            if not _ID.fullmatch(info.id) or not info.files.keys() <= _FILES:
                raise Unreadable(f"there is no segment {info.id[:60]!r} of files {[*info.files]}")
            if not {"meta", "b1"} <= info.files.keys() or not {"i8", "usearch"} & info.files.keys():
                raise Unreadable(f"segment {info.id} lacks a file")
            if info.rows < 1 or not all(0 < size < _MOST_BYTES for size in sizes):
                raise Unreadable(f"segment {info.id} has {info.rows} rows, files of {sizes} bytes")
        return self


class HitRecord(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A hit."""

    picture: Record
    relevance: float
    hamming: int
    score: float

    @classmethod
    def of(cls, hit: Hit) -> HitRecord:
        """Describe a hit."""
        likeness = hit.likeness
        return cls(Record.of(hit.picture), likeness.relevance, likeness.hamming, likeness.score)

    def hit(self) -> Hit:
        """Return the hit."""
        return Hit(self.picture.picture(), Likeness(self.relevance, self.hamming, self.score))


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a worker found: the best hits, from ``skip`` on, as many as fit.

    ``more`` tells that others follow. ``groups`` are the different ones of all that passes,
    uint64 and little-endian; ``None`` if the query does not ask for them, or they are too many.
    """

    hits: list[HitRecord]
    total: _Number
    groups: bytes | None
    more: bool

    @classmethod
    def read(cls, answer: bytes) -> Reply:
        """Read an answer.

        Raises :class:`Corrupt` with what the worker found damaged, :class:`Unreadable` for
        anything that is not an answer.
        """
        try:
            wrapped = _answer.decode(answer)
            if wrapped.corrupt is not None:
                raise Corrupt(wrapped.corrupt, wrapped.fix)
            reply = _reply.decode(base64.b64decode(wrapped.ranked, validate=True))
        except (msgspec.MsgspecError, UnicodeDecodeError, binascii.Error) as error:
            raise Unreadable(f"a worker's answer cannot be read: {error}") from None
        if reply.groups is not None and len(reply.groups) % 8:
            raise Unreadable("a worker's answer has a part of a group")
        return reply

    def numbers(self) -> NDArray[np.uint64] | None:
        """Return the groups."""
        return None if self.groups is None else np.frombuffer(self.groups, "<u8")

    def wrapped(self) -> dict[str, str]:
        """Return the answer that carries this."""
        return {"ranked": base64.b64encode(_encoder.encode(self)).decode("ascii")}


class Corrupt(Exception):
    """A worker met a damaged or missing object; arguments are what it says, and the fix."""


class _Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    task: str


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ranked: str = ""
    corrupt: str | None = None
    fix: str = ""


# Made at import: msgspec crashes when several threads use a struct for the first time at once.
_task = msgspec.msgpack.Decoder(Task)
_reply = msgspec.msgpack.Decoder(Reply)
_answer = msgspec.json.Decoder(_Answer)
_encoder = msgspec.msgpack.Encoder()


def event_of(task: Task) -> bytes:
    """Return the JSON event that carries a task."""
    return b'{"task":"' + base64.b64encode(_encoder.encode(task)) + b'"}'


def task_in(event: Mapping[str, Any]) -> Task:
    """Return the task that an event carries; :class:`Unreadable` if it carries none."""
    try:
        packed = base64.b64decode(msgspec.convert(event, _Event).task, validate=True)
        return _task.decode(packed).checked()
    except (msgspec.MsgspecError, UnicodeDecodeError, binascii.Error, ValueError) as error:
        raise Unreadable(f"this is no task: {error}") from None


def first_of(hits: Iterable[Hit], room: int) -> tuple[list[HitRecord], bool]:
    """Return the first hits that fit into some bytes, at least one, and whether others follow."""
    fitting: list[HitRecord] = []
    for record in map(HitRecord.of, hits):
        room -= len(_encoder.encode(record))
        if room < 0 and fitting:
            return fitting, True
        fitting.append(record)
    return fitting, False
