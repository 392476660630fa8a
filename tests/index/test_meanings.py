"""What is known of a picture beside its look: kept everywhere, found by its meaning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from imagesearch.catalogue import OTHER
from imagesearch.catalogue.filter import Filter
from imagesearch.index import (
    Change,
    Entry,
    Index,
    OfPicture,
    Policy,
    TextQuery,
    Version,
    encode_meaning,
)
from numpy.typing import NDArray

from tests.index.makers import entry, key, vector
from tests.stores import MemoryStore


def index_at(store: MemoryStore, cache: Path | None = None, tier: int = 3) -> Index:
    return Index(store, "i/", model="m", policy=Policy(parallel=1, tier=tier), cache=cache)


@pytest.fixture
def index() -> Index:
    made = index_at(MemoryStore())
    made.create()
    return made


def meaning(seed: int) -> NDArray[np.int8]:
    return encode_meaning(vector(seed))


def rich(product: int, name: str = "a", *, mean: bool = True, category: int = OTHER) -> Entry:
    bare = entry(product, name, category=category, int_attr=product)
    classes = (product, 999, 0)[: product % 4]
    picture = replace(bare.picture, thumbnail=f"t/{product}", classes=classes)
    return Entry(picture, bare.features, meaning(product) if mean else None)


def put(index: Index, *entries: Entry) -> None:
    index.append(entries, after=index.snapshot())


def listed(index: Index) -> list[Entry | None]:
    snapshot = index.snapshot()
    return [snapshot.find(picture.key) for picture in snapshot.matching(None, limit=1000)]


def test_everything_known_of_a_picture_is_kept_in_log_segment_and_merge(index: Index) -> None:
    known = [rich(n, mean=n % 3 > 0, category=(3, OTHER)[n % 2]) for n in range(12)]
    for part in range(3):
        put(index, *known[part * 4 : part * 4 + 4])
        if part < 2:
            index.fold()
    by_key = sorted(known, key=lambda e: e.picture.key)
    assert listed(index) == by_key
    index.fold()
    assert listed(index) == by_key
    assert index.maintain().merged == 3
    assert listed(index) == by_key
    assert not index.scrub().problems


def test_a_segment_has_a_file_of_meanings_only_if_one_is_known(index: Index) -> None:
    put(index, entry(1), rich(2, mean=False))
    index.fold()
    put(index, rich(3))
    index.fold()
    with_meanings = [sorted(info.files) for info in index.snapshot().view.manifest.segments]
    assert with_meanings == [["b1", "i8", "meta"], ["b1", "i8", "m8", "meta"]]


@pytest.mark.parametrize("folded", [0, 1, 2])
@pytest.mark.parametrize("text", [None, "int_attr > 20", "int_attr < 5", "int_attr = 99"])
@pytest.mark.parametrize("category", [None, 3])
def test_a_search_by_meaning_gives_what_brute_force_gives(
    index: Index, folded: int, text: str | None, category: int | None
) -> None:
    known = [
        rich(n // 2, str(n), mean=n % 5 > 0, category=(3, OTHER)[n % 3 > 0]) for n in range(80)
    ]
    for part in range(2):
        put(index, *known[part::2])
        if folded > part:
            index.fold()
    gone = known[7].picture.key
    index.append(deletions=[OfPicture(gone)], after=index.snapshot())
    only = Filter.parse(text) if text else None
    passing = [
        e
        for e in known
        if e.picture.key != gone
        and category in (None, e.picture.category_id)
        and (only is None or only.matches(e.picture.attributes))
    ]
    query = vector(4711)
    wanted = encode_meaning(query)

    def cosine(e: Entry) -> float:
        assert e.meaning is not None
        a, b = wanted.astype(float), e.meaning.astype(float)
        return float(np.float32(a @ b / np.sqrt((a @ a) * (b @ b))))

    ranked = sorted(
        (e for e in passing if e.meaning is not None), key=lambda e: (-cosine(e), e.picture.key)
    )
    for distinct in (False, True):
        if distinct:
            first = {e.picture.key.product_id: e for e in reversed(ranked)}
            ranked = [e for e in ranked if first[e.picture.key.product_id] is e]
        for start in (0, 3):
            answer = index.snapshot().search_meaning(
                TextQuery(
                    meaning=wanted,
                    category_id=category,
                    filter=only,
                    num=5,
                    start=start,
                    distinct_product=distinct,
                )
            )
            assert [hit.picture for hit in answer.hits] == [
                e.picture for e in ranked[start : start + 5]
            ]
            assert [hit.cosine for hit in answer.hits] == pytest.approx(
                [cosine(e) for e in ranked[start : start + 5]], abs=1e-6
            )
            assert answer.total == len(ranked)
            assert answer.lacking == sum(e.meaning is None for e in passing)


def test_pictures_without_a_meaning_are_listed_with_the_version_a_change_names(
    index: Index,
) -> None:
    put(index, rich(1, mean=False), rich(2))
    index.fold()
    put(index, rich(3, mean=False))
    found = index.snapshot().without_meaning()
    assert [place.picture.key for place in found] == [key(1), key(3)]
    assert index.snapshot().without_meaning(after=key(1), limit=5) == found[1:]
    changes = [
        Change(place.picture.key, of=place.version, meaning=meaning(9), classes=(7,))
        for place in found
    ]
    index.append(changes=changes, after=index.snapshot())
    assert index.snapshot().without_meaning() == []
    assert index.fold()
    assert index.snapshot().without_meaning() == []
    one = index.snapshot().find(key(1))
    assert one is not None
    assert one.picture.classes == (7,)
    assert one.picture.thumbnail == "t/1"
    assert one.meaning is not None
    assert (one.meaning == meaning(9)).all()
    assert one.features == rich(1).features


def test_what_was_found_out_of_an_earlier_picture_is_not_set_on_a_later_one(index: Index) -> None:
    put(index, rich(1, mean=False))
    (place,) = index.snapshot().without_meaning()
    put(index, rich(1, mean=False))
    stale = Change(key(1), of=place.version, meaning=meaning(9), thumbnail="old")
    for _ in range(2):
        index.append(changes=[stale], after=index.snapshot())
        assert listed(index) == [rich(1, mean=False)]
        index.fold()
        assert listed(index) == [rich(1, mean=False)]


def test_a_meaning_is_read_alone_from_a_large_segment_that_is_not_here(tmp_path: Path) -> None:
    store = MemoryStore()
    index = index_at(store)
    index.create()
    put(index, *(rich(n, mean=n % 2 > 0) for n in range(40)))
    index.fold()
    again = index_at(store, tmp_path)
    found = again.snapshot().find(key(7))
    assert found == rich(7)


def test_who_needs_no_meaning_reads_none(tmp_path: Path) -> None:
    store = MemoryStore()
    index = index_at(store)
    index.create()
    put(index, *(rich(n) for n in range(40)))
    index.fold()
    snapshot = index_at(store, tmp_path).snapshot()
    store.requests.clear()
    assert snapshot.find(key(7), meaning=False) == replace(rich(7), meaning=None)
    assert not [name for _, name in store.requests if name.endswith(".m8")]
    assert snapshot.find(key(7)) == rich(7)
    assert [name for _, name in store.requests if name.endswith(".m8")]


@pytest.mark.parametrize(
    "change",
    [
        Change(key(1), meaning=meaning(1)),
        Change(key(1), of=Version(1, 1), meaning=meaning(1)[:100]),
        Change(key(1), of=Version(1, 1), classes=(1, 2, 3, 4)),
        Change(key(1), of=Version(1, 1), classes=(1000,)),
        Change(key(1), of=Version(1, 1), thumbnail="x" * 121),
        Change(key(1), {"int_attr9": 1}),
    ],
)
def test_what_has_no_form_is_not_written(index: Index, change: Change) -> None:
    with pytest.raises(ValueError, match=r"thumbnail|classes|meaning|attribute|version"):
        index.append(changes=[change], after=index.snapshot())
    assert index.snapshot().sequence == 0
