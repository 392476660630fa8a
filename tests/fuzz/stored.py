"""What is read back from the store: log objects, manifests, segments, and a whole index."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from imagesearch.errors import CorruptObject
from imagesearch.index.log import Change, LogObject, OfPicture, OfProduct, Version
from imagesearch.index.manifest import FileInfo, Manifest, Mark, SegmentInfo
from imagesearch.index.sealed import seal, unseal
from imagesearch.index.table import Table

from tests.fuzz.harness import Harness, expect, words
from tests.index.makers import entry, key
from tests.index.test_damage import PREFIX, answers, copied, filled
from tests.stores import MemoryStore

__all__ = ["HARNESSES"]

_Stored = tuple[MemoryStore, tuple[str, ...], tuple[object, ...]]


@functools.cache
def _whole() -> _Stored:
    """Return an index, the names of what it consists of, and what it answers."""
    store = MemoryStore()
    filled(store)
    names = tuple(key for key in store.keys(PREFIX) if "history" not in key)
    return store, names, tuple(answers(store))


def _damaged(data: bytes) -> None:
    """Edits of one object: what is answered is right, or says what is damaged.

    The input is the number of the object, and edits of three bytes: where (two bytes, as a share
    of the object's length) and what.
    """
    store, names, expected = _whole()
    if not data:
        return
    name = names[data[0] % len(names)]
    body = bytearray(store.body(name))
    for at in range(1, len(data) - 2, 3):
        place = int.from_bytes(data[at : at + 2]) * len(body) >> 16
        body[place] = data[at + 2]
    altered = copied(store)
    altered.damage(name, bytes(body))
    for right, found in zip(expected, answers(altered), strict=True):
        assert isinstance(found, CorruptObject) or found == right


def _edits() -> Iterable[bytes]:
    _, names, _ = _whole()
    for number in range(len(names)):
        yield bytes([number, 0, 40, 65, 128, 0, 0, 255, 250, 255])


_INDEX = "0123456789abcdef0123456789abcdef"
_VERSION = Version(7, 9)


def _log(data: bytes) -> None:
    """A log object in a valid envelope: its content is read, or named as corrupt."""
    name = f"wal/{_VERSION.name}"
    try:
        found = LogObject.decode(name, seal("log", data), index=_INDEX)
    except CorruptObject as error:
        expect(name in error.detail, "the object is not named")
        return
    again = LogObject.decode(name, found.encode(), index=_INDEX)
    assert (again.version, again.deletions, again.entries) == (
        found.version,
        found.deletions,
        found.entries,
    )


def _logs() -> Iterable[bytes]:
    added = entry("p", "a", seed=1, int_attr=1, str_attr="é", custom_content="c")
    changed = Change(key("p", "a"), {"int_attr": 2})
    gone = (OfProduct("q"), OfPicture(key("p", "b")))
    for entries, deletions, changes in [((added,), (), ()), ((), gone, (changed,)), ((), (), ())]:
        log = LogObject(_INDEX, _VERSION, "", "m", deletions, entries, changes)
        yield unseal("log", "k", log.encode())


def _manifest() -> Iterable[bytes]:
    files = {name: FileInfo(5, "00" * 32) for name in ("meta", "b1", "i8")}
    segment = SegmentInfo("000000000002-0011223344556677", 9, 3, {5: 9}, files)
    full = Manifest(
        index=_INDEX,
        model="m",
        generation=3,
        clock=5,
        low_water=2,
        folded=(_VERSION.name,),
        segments=(segment,),
        dead={segment.id: 2},
        tombs="000000000004-57de6ae5fe863b23",
        marks=(Mark(1, 2),),
    )
    for manifest in (full, Manifest(index=_INDEX, model="m", generation=0)):
        yield unseal("manifest", "k", manifest.encode())


def _manifests(data: bytes) -> None:
    try:
        found = Manifest.decode("m", seal("manifest", data))
    except CorruptObject as error:
        expect(error.detail.startswith("m "), "the object is not named")
        return
    assert Manifest.decode("m", found.encode()) == found
    found.tail(["x", "00000000000000000001-0000000000000001"])


def _envelope(data: bytes) -> None:
    for kind in ("log", "manifest", "tombs"):
        try:
            unseal(kind, "k", data)
        except CorruptObject as error:
            expect(error.detail.startswith("k "), "the object is not named")


def _table(data: bytes) -> None:
    """A row table whose checksum is not looked at: opening it works, or names it as corrupt."""
    try:
        Table("t", memoryview(data), index="i", segment="s")
    except CorruptObject as error:
        expect(error.detail.startswith("t "), "the object is not named")


def _tables() -> Iterable[bytes]:
    store, names, _ = _whole()
    yield from (store.body(name) for name in names if name.endswith(".meta"))


def _envelopes() -> Iterable[bytes]:
    store, names, _ = _whole()
    yield from (store.body(name)[:600] for name in names if "/seg/" not in f"/{name}")
    yield seal("log", b"body")


HARNESSES = (
    Harness("log", _log, _logs, words(r"\xc0 \xd9\x20 \xc4"), 20_000),
    Harness("manifest", _manifests, _manifest, words('"segments" "low_water" "dead" null')),
    Harness(
        "envelope", _envelope, _envelopes, words(r"imagesearch\x20 \x20log\x20 \x20manifest\x20 \n")
    ),
    Harness("table", _table, _tables, longest=20_000),
    Harness("index", _damaged, _edits, longest=64),
)
