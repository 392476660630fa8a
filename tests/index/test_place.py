"""A writer that does not look at what is there still writes after it, and never twice."""

from __future__ import annotations

import pytest
from imagesearch.errors import UnknownInstance
from imagesearch.index import Index

from tests.index.makers import entry
from tests.index.test_writes import PREFIX, StillClock, index_of, keys_in
from tests.stores import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def index(store: MemoryStore) -> Index:
    made = index_of(store, StillClock(9_000_000))
    made.create()
    return made


def test_a_write_after_a_place_is_later_than_all_there_was_whatever_the_clock_says(
    store: MemoryStore, index: Index
) -> None:
    first = index.append([entry(1, seed=1)], after=index.snapshot())
    behind = index_of(store, StillClock(1_000_000))
    second = behind.append([entry(1, seed=2)], after=behind.place())
    assert second > first
    index.fold()
    late = index_of(store, StillClock(1_000_000))
    assert late.append([entry(1, seed=3)], after=late.place()) > second
    [seen] = index_of(store).snapshot().matching(None)
    found = index.snapshot().find(seen.key)
    assert found is not None
    assert found.features == entry(1, seed=3).features


def test_a_place_tells_what_a_snapshot_does_and_reads_no_log_object(
    store: MemoryStore, index: Index
) -> None:
    for number in range(5):
        index.append([entry(number)], after=index.snapshot(), operation_id=f"o{number}")
    other = index_of(store, StillClock(9_500_000))
    before = len(store.requests)
    place = other.place()
    assert [verb for verb, _ in store.requests[before:]] == ["list", "get"]
    snapshot = index_of(store, StillClock(9_500_000)).snapshot()
    for name in ("sequence", "newest", "operations", "log_length", "log_bytes", "wants_upkeep"):
        assert getattr(place, name) == getattr(snapshot, name), name


@pytest.mark.parametrize("folded", [False, True])
def test_an_operation_is_recognised(store: MemoryStore, index: Index, folded: bool) -> None:
    sequence = index.append([entry(1)], after=index.place(), operation_id="once")
    if folded:
        index.fold()
    other = index_of(store, StillClock(9_100_000))
    assert other.append([entry(1)], after=other.place(), operation_id="once") == sequence
    assert len(keys_in(other)) == 1


def test_what_was_written_is_not_kept_for_ever(store: MemoryStore, index: Index) -> None:
    for number in range(5):
        index.append([entry(number)], after=index.place())
    index_of(store, StillClock(9_000_000)).fold()
    index.place()
    assert index._reader._log == {}


def test_there_is_no_place_in_an_index_that_is_not_there(store: MemoryStore) -> None:
    with pytest.raises(UnknownInstance):
        index_of(store).place()
    assert not store.keys(PREFIX)
