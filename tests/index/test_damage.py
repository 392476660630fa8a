"""Damaged, missing and swapped objects: named before use, never a wrong answer, never a crash."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imagesearch.catalogue import OTHER
from imagesearch.errors import CorruptObject
from imagesearch.index import (
    Change,
    Features,
    Index,
    OfPicture,
    OfProduct,
    Query,
    TextQuery,
    encode_meaning,
)
from imagesearch.index.features import bits_of
from imagesearch.index.log import LogObject, Version
from imagesearch.index.manifest import Manifest
from imagesearch.index.sealed import seal, unseal
from imagesearch.index.sections import Sections
from numpy.typing import NDArray

from tests.index.makers import PREFIX, entry, index_at, key, look, vector
from tests.stores import MemoryStore

KINDS = ("MANIFEST", "wal/", ".meta", ".b1", ".i8", ".m8", "tomb/")


def meaning(seed: int) -> NDArray[np.int8]:
    return encode_meaning(vector(seed))


def filled(store: MemoryStore, prefix: str = PREFIX, first: int = 0) -> Index:
    """Two segments of different categories, tombstones, and a log of three objects."""
    index = index_at(store, prefix)
    index.create()
    for category in (3, OTHER):
        numbers = range(first + category % 7 * 10, first + category % 7 * 10 + 12)
        entries = [entry(n, category=category, int_attr=n, str_attr="s") for n in numbers]
        known = [replace(e, meaning=meaning(i)) if i % 3 else e for i, e in enumerate(entries)]
        index.append(known, after=index.snapshot())
        index.fold()
    index.append([entry("new", category=0)], [OfProduct(str(numbers[0]))], after=index.snapshot())
    index.fold()
    index.append([entry("newer", category=0)], after=index.snapshot())
    changes = [Change(key(numbers[2]), {"int_attr": 99, "str_attr2": "changed"})]
    index.append(changes=changes, after=index.snapshot())
    index.append(deletions=[OfPicture(key(numbers[1]))], after=index.snapshot())
    return index


@pytest.fixture(scope="module")
def whole() -> MemoryStore:
    store = MemoryStore()
    filled(store)
    filled(store, "other/", 1000)
    return store


def copied(store: MemoryStore) -> MemoryStore:
    copy = MemoryStore()
    for name in store.keys_after("", ""):
        copy.damage(name, store.body(name))
    return copy


def answers(store: MemoryStore) -> Iterator[object]:
    """What a new process answers to different questions; an error in place of an answer."""
    index = index_at(store)
    questions: list[Callable[[], object]] = [
        lambda: index.snapshot().search(Query(features=look(1), num=100)),
        lambda: index.snapshot().search(Query(features=look(2), category_id=3, num=100)),
        lambda: index.snapshot().search(Query(features=look(2), score_threshold=0.01)),
        lambda: index.snapshot().search_meaning(TextQuery(meaning=meaning(1), num=100)),
        lambda: index.snapshot().matching(None, limit=100),
        lambda: [index.snapshot().find(key(n)) for n in ("new", "newer", 30, 31, 41, 50)],
        lambda: (index.snapshot().pictures, index.snapshot().products),
    ]
    for question in questions:
        try:
            yield question()
        except CorruptObject as error:
            yield error


def objects(store: MemoryStore, kind: str) -> list[str]:
    in_force = Manifest.decode("", store.body(PREFIX + "MANIFEST"))
    keys = [k for k in store.keys(PREFIX) if kind in k and "history" not in k]
    if kind == "wal/":
        return [k for k in keys if k.removeprefix(PREFIX + "wal/") not in in_force.folded]
    return [k for k in keys if kind != "tomb/" or in_force.tombs in k]


def check(whole: MemoryStore, damaged: MemoryStore, name: str) -> None:
    errors = 0
    for expected, found in zip(answers(whole), answers(damaged), strict=True):
        if isinstance(found, CorruptObject):
            errors += 1
            assert name in found.detail
            assert found.fix
        else:
            assert found == expected
    assert errors


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_is_found_before_use_and_named(
    whole: MemoryStore, kind: str, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(objects(whole, kind)))
    body = bytearray(whole.body(name))
    body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    damaged = copied(whole)
    damaged.damage(name, bytes(body))
    check(whole, damaged, name)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_a_truncated_object_is_found_before_use_and_named(
    whole: MemoryStore, kind: str, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(objects(whole, kind)))
    body = whole.body(name)
    damaged = copied(whole)
    damaged.damage(name, body[: data.draw(st.integers(0, len(body) - 1))])
    check(whole, damaged, name)


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("MANIFEST", "wal/")])
def test_a_missing_object_is_named(whole: MemoryStore, kind: str) -> None:
    for name in objects(whole, kind):
        damaged = copied(whole)
        damaged.lose(name)
        check(whole, damaged, name)


def test_a_missing_log_object_that_a_later_one_came_after_is_named(whole: MemoryStore) -> None:
    first, *_ = objects(whole, "wal/")
    damaged = copied(whole)
    damaged.lose(first)
    check(whole, damaged, first)


def test_a_log_object_that_is_listed_but_gone_is_named(whole: MemoryStore) -> None:
    name = objects(whole, "wal/")[1]
    damaged = copied(whole)

    class Gone(MemoryStore):
        def get(self, key: str) -> object:
            if key == name:
                self.lose(name)
                found = super().get
                try:
                    return found(key)
                finally:
                    self.damage(name, b"")
            return super().get(key)

    gone = Gone()
    gone._objects, gone._keys = damaged._objects, None
    check(whole, gone, name)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_an_object_of_the_same_kind_in_anothers_place_is_named(
    whole: MemoryStore, kind: str
) -> None:
    for name in objects(whole, kind):
        others = [k for k in objects(whole, kind) if k != name]
        others += [k for k in whole.keys("other/") if kind in k]
        for other in others:
            if whole.body(other) == whole.body(name):
                continue
            damaged = copied(whole)
            damaged.damage(name, whole.body(other))
            check(whole, damaged, name)


def test_a_manifest_of_another_index_gives_no_answer_from_its_segments(
    whole: MemoryStore,
) -> None:
    damaged = copied(whole)
    damaged.damage(PREFIX + "MANIFEST", whole.body("other/MANIFEST"))
    found = list(answers(damaged))
    assert all(isinstance(answer, CorruptObject) for answer in found)


def test_other_categories_stay_searchable_and_writes_possible_beside_a_damaged_segment(
    whole: MemoryStore,
) -> None:
    damaged = copied(whole)
    manifest = Manifest.decode("", whole.body(PREFIX + "MANIFEST"))
    segment = next(s for s in manifest.segments if s.categories == {3: 12})
    for file in segment.files:
        damaged.damage(f"{PREFIX}seg/{segment.id}.{file}", b"")
    index = index_at(damaged)
    query = Query(features=look(1), category_id=OTHER)
    assert index.snapshot().search(query) == index_at(whole).snapshot().search(query)
    index.append([entry("later", category=OTHER)], after=index.snapshot())
    hits = index.snapshot().search(query).hits
    assert len(hits) == 10
    with pytest.raises(CorruptObject, match=segment.id):
        index.snapshot().search(Query(features=look(1), category_id=3))


def test_writes_are_possible_while_the_log_is_damaged_and_nothing_is_folded(
    whole: MemoryStore,
) -> None:
    damaged = copied(whole)
    name = objects(whole, "wal/")[0]
    damaged.damage(name, b"rubbish")
    index = index_at(damaged)
    index.append([entry("later")], after=index.snapshot())
    for change in (index.fold, index.maintain):
        with pytest.raises(CorruptObject, match=name):
            change()
    damaged.damage(name, whole.body(name))
    assert index.snapshot().find(key("later")) == entry("later")
    assert index.fold()


@pytest.mark.parametrize("kind", [*KINDS[1:], "history/"])
def test_scrub_names_what_is_damaged_or_missing_and_what_to_do(
    whole: MemoryStore, kind: str
) -> None:
    assert index_at(whole).scrub().problems == ()
    names = objects(whole, kind) or [k for k in whole.keys(PREFIX) if kind in k]
    for name in names:
        for change in ("flip", "lose"):
            damaged = copied(whole)
            body = bytearray(whole.body(name))
            body[len(body) // 2] ^= 4
            damaged.damage(name, bytes(body))
            if change == "lose":
                damaged.lose(name)
            found = index_at(damaged).scrub().problems
            last = kind == "wal/" and name == names[-1]
            if change == "lose" and (kind == "history/" or last):
                continue  # nothing says that these ever were
            assert any(name in p.key + p.what for p in found)
            assert all(p.fix for p in found)


def test_scrub_raises_when_the_manifest_is_damaged(whole: MemoryStore) -> None:
    damaged = copied(whole)
    damaged.damage(PREFIX + "MANIFEST", whole.body(PREFIX + "MANIFEST")[:-1])
    with pytest.raises(CorruptObject, match="MANIFEST"):
        index_at(damaged).scrub()


def test_scrub_sees_what_no_checksum_can(whole: MemoryStore) -> None:
    """A key that is alive twice, and rows of a lying segment, with all checksums right."""
    damaged = copied(whole)
    manifest = Manifest.decode("", whole.body(PREFIX + "MANIFEST"))
    twice = msgspec.structs.replace(manifest, segments=(*manifest.segments, manifest.segments[0]))
    damaged.damage(PREFIX + "MANIFEST", twice.encode())
    assert any("alive 2 times" in p.what for p in index_at(damaged).scrub().problems)


def test_scrub_counts_orphans_and_names_strangers(whole: MemoryStore) -> None:
    store = copied(whole)
    store.damage(PREFIX + "seg/000000000009-00.meta", b"orphan")
    store.damage(PREFIX + "wal/readme.txt", b"?")
    store.damage(PREFIX + "picture.jpg", b"?")
    found = index_at(store).scrub()
    assert found.orphans == (PREFIX + "seg/000000000009-00.meta",)
    assert [p.key for p in found.problems] == [PREFIX + "picture.jpg", PREFIX + "wal/readme.txt"]
    assert found.objects > 10
    assert index_at(store).snapshot().pictures == index_at(whole).snapshot().pictures


def test_a_format_of_another_version_is_refused_by_its_number(whole: MemoryStore) -> None:
    for kind in ("MANIFEST", "wal/", "tomb/"):
        damaged = copied(whole)
        name = objects(whole, kind)[0]
        words = whole.body(name).split(b" ", 3)
        damaged.damage(name, b" ".join([*words[:2], b"1", words[3]]))
        found = [a for a in answers(damaged) if isinstance(a, CorruptObject)]
        assert found
        assert all("version 2" in e.detail and "release" in e.fix for e in found)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_readers_do_more_than_refuse(data: bytes) -> None:
    for read in (
        lambda: unseal("log", "k", data),
        lambda: unseal("log", "k", seal("log", data)) == data or pytest.fail("altered"),
        lambda: LogObject.decode("wal/x", seal("log", data), index="i"),
        lambda: Manifest.decode("k", seal("manifest", data)),
        lambda: Sections("k", memoryview(data)),
    ):
        with suppress(CorruptObject):
            read()


def test_a_log_object_can_be_written_and_read_back() -> None:
    row = look(1).row
    one = entry(
        "红/%", "a b", features=Features(row, bits_of(row[None])[0]), str_attr="\\", int_attr=-5,
        custom_content="",
    )  # fmt: skip
    written = LogObject("i", Version(7, 9), "", "m", (OfProduct("x"), OfPicture(key(1))), (one,))
    name = f"wal/{written.version.name}"
    assert LogObject.decode(name, written.encode(), index="i") == written
