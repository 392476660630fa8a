"""What engines elsewhere give back, and what functions that share an instance tell each other."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from zlib import crc32

import msgspec
from imagesearch.engines import records
from imagesearch.errors import CorruptObject
from imagesearch.index import Change, Likeness, OfPicture, OfProduct, Query, Version
from imagesearch.index.engine import HeldRow
from imagesearch.index.fanout.wire import (
    HitRecord,
    QueryRecord,
    Reply,
    TailRecord,
    Task,
    Unreadable,
    event_of,
    task_in,
)
from imagesearch.index.log import LogObject
from imagesearch.index.manifest import FileInfo, SegmentInfo
from imagesearch.index.query import Hit
from imagesearch.index.tail import Tail

from tests.fuzz.harness import Harness, words
from tests.index.makers import entry, key, look

__all__ = ["HARNESSES"]

_SEGMENT = "000000000002-0011223344556677"
_VERSION = Version(7, 9)
_PICTURE = entry("p", "a", seed=1, int_attr=1, str_attr="é", custom_content="c")


def _held(data: bytes) -> None:
    """A row under a right checksum: it is read and the same again, or named as corrupt."""
    text = b64encode(b"\x01" + crc32(data).to_bytes(4) + data).decode()
    try:
        row = records.decode(_row().id, text)
    except CorruptObject:
        return
    again = records.decode(row.id, records.encode(row))
    assert (again.segment, again.row, again.version, again.picture) == (
        row.segment,
        row.row,
        row.version,
        row.picture,
    )


def _row() -> HeldRow:
    return HeldRow(_SEGMENT, 3, _VERSION, _PICTURE.picture, _PICTURE.features.row)


def _rows() -> Iterable[bytes]:
    yield b64decode(records.encode(_row()))[5:]


def _task(data: bytes) -> None:
    """A task in a valid event: query and tail can be made of it, or it is refused."""
    try:
        task = task_in({"task": b64encode(data).decode()})
        task.query.query()
    except Unreadable:
        return
    task.tail.tail()
    assert task_in(msgspec.json.decode(event_of(task))) == task


def _tasks() -> Iterable[bytes]:
    change = Change(key("p", "a"), {"int_attr": 2})
    gone = (OfProduct("q"), OfPicture(key("p", "b")))
    log = LogObject("i", _VERSION, "", "m", gone, (_PICTURE,), (change,))
    files = {name: FileInfo(5, "00" * 32) for name in ("meta", "b1", "i8")}
    asked = Query(features=look(1), category_id=3, distinct_product=True)
    for tail in (Tail(), Tail().plus([log])):
        yield b64decode(
            msgspec.json.decode(
                event_of(
                    Task(
                        1,
                        "index/shop/1/",
                        "0" * 32,
                        "m",
                        "",
                        [SegmentInfo(_SEGMENT, 9, 3, {5: 9}, files)],
                        TailRecord.of(tail),
                        QueryRecord.of(asked),
                        1024,
                        192,
                    )
                )
            )["task"]
        )


def _reply(data: bytes) -> None:
    """An answer in its wrapping: hits and groups can be made of it, or it is refused."""
    try:
        reply = Reply.read(msgspec.json.encode({"ranked": b64encode(data).decode()}))
        for record in reply.hits:
            record.hit()
    except (Unreadable, msgspec.ValidationError):
        return
    reply.numbers()
    assert Reply.read(msgspec.json.encode(reply.wrapped())) == reply


def _replies() -> Iterable[bytes]:
    hit = HitRecord.of(Hit(_PICTURE.picture, Likeness(9.5, 140, 0.6)))
    for reply in (Reply([hit], 7, b"\x01" * 16, False), Reply([], 0, None, True)):
        yield b64decode(reply.wrapped()["ranked"])


HARNESSES = (
    Harness("held-row", _held, _rows, words(r"\xc0 \xd9\x1d \xc5\x02\x00")),
    Harness("task", _task, _tasks, words(r"\xc0 \xa4tail \xa6hidden \xa6filter"), 20_000),
    Harness("reply", _reply, _replies, words(r"\xc0 \xa4hits \xa6groups \xcb\x7f\xf0")),
)
