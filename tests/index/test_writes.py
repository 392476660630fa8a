"""Writes: durable and visible when acknowledged, ordered by clock, and never applied twice."""

import pytest
from imagesearch.errors import (
    ModelMismatch,
    NotYetVisible,
    StorageUnavailable,
    UnknownInstance,
)
from imagesearch.index import Index, OfPicture, OfProduct, Policy, Query

from tests.index.makers import entry, key, look
from tests.stores import MemoryStore

PREFIX = "index/shop/1/"


class StillClock:
    """A clock that moves when it is told, and when somebody sleeps."""

    def __init__(self, now: int = 1_000_000) -> None:
        self.time = now

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return self.time / 1e6

    def sleep(self, seconds: float) -> None:
        self.time += int(seconds * 1e6)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def index_of(store: MemoryStore, clock: StillClock | None = None, **policy: float) -> Index:
    settings = Policy(parallel=1, **policy)  # type: ignore[arg-type]
    return Index(store, PREFIX, model="m", clock=clock or StillClock(), policy=settings)


@pytest.fixture
def index(store: MemoryStore) -> Index:
    made = index_of(store)
    made.create()
    return made


def keys_in(index: Index) -> list[tuple[str, str]]:
    return [tuple(p.key) for p in index.snapshot().matching(None, limit=1000)]


def test_a_write_is_seen_by_another_process_as_soon_as_it_is_acknowledged(
    store: MemoryStore, index: Index
) -> None:
    sequence = index.append([entry(1)], after=index.snapshot())
    other = index_of(store).snapshot()
    assert other.sequence == sequence
    assert other.find(key(1)) == entry(1)


def test_the_later_of_two_writes_of_a_picture_wins_whatever_the_clocks_say(
    store: MemoryStore, index: Index
) -> None:
    ahead = index_of(store, StillClock(9_000_000_000))
    ahead.append([entry(1, seed=1)], after=ahead.snapshot())
    index.append([entry(1, seed=2)], after=index.snapshot())
    assert index.snapshot().find(key(1)) == entry(1, seed=2)
    index.append(deletions=[OfPicture(key(1))], after=index.snapshot())
    assert index.snapshot().find(key(1)) is None


def test_two_writes_of_one_clock_are_ordered_by_name_in_log_and_segment_alike(
    store: MemoryStore, index: Index
) -> None:
    moment = index.snapshot()
    index.append([entry(1, seed=1)], after=moment, operation_id="a")
    other = index_of(store)
    other.append([entry(1, seed=2)], after=moment, operation_id="b")
    names = store.keys(PREFIX + "wal/")
    assert len({name[:-17] for name in names}) == 1
    in_log = index.snapshot().find(key(1))
    index.fold()
    assert index.snapshot().find(key(1)) == in_log
    assert index.snapshot().pictures == 1


def test_deletions_of_a_write_come_before_its_entries(index: Index) -> None:
    index.append([entry(1, "old"), entry(2)], after=index.snapshot())
    index.append(
        [entry(1, "new"), entry(2, seed=9)],
        [OfProduct("1"), OfPicture(key(2))],
        after=index.snapshot(),
    )
    assert keys_in(index) == [("1", "new"), ("2", "a")]
    index.fold()
    assert keys_in(index) == [("1", "new"), ("2", "a")]


def test_of_two_entries_of_a_key_in_one_write_the_last_counts(index: Index) -> None:
    index.append([entry(1, seed=1), entry(1, seed=2)], after=index.snapshot())
    assert index.snapshot().find(key(1)) == entry(1, seed=2)
    assert index.snapshot().pictures == 1


def test_deleting_a_product_hides_its_pictures_but_not_later_ones(index: Index) -> None:
    index.append([entry(1, n) for n in "abc"], after=index.snapshot())
    index.fold()
    index.append([entry(1, "d"), entry(2)], after=index.snapshot())
    index.append(deletions=[OfProduct("1")], after=index.snapshot())
    assert keys_in(index) == [("2", "a")]
    index.append([entry(1, "b")], after=index.snapshot())
    for _ in range(2):
        assert keys_in(index) == [("1", "b"), ("2", "a")]
        assert index.snapshot().of_product("1") == [key(1, "b")]
        assert (index.snapshot().pictures, index.snapshot().products) == (2, 2)
        index.fold()


def test_a_write_that_arrives_late_does_not_undo_what_was_folded(
    store: MemoryStore, index: Index
) -> None:
    """Its clock is older than that of a delete and of a replacement which are folded already."""
    moment = index.snapshot()
    clock = StillClock(2_000_000)
    other = index_of(store, clock)
    other.append([entry(1), entry(2, seed=5)], after=other.snapshot())
    other.append(deletions=[OfPicture(key(1))], after=other.snapshot())
    other.fold()
    index.append([entry(1, seed=3), entry(2, seed=4), entry(3)], after=moment)
    for _ in range(2):
        assert keys_in(index) == [("2", "a"), ("3", "a")]
        assert index.snapshot().find(key(2)) == entry(2, seed=5)
        assert index.fold() in (True, False)


def test_a_repeated_operation_is_recognised_in_the_log_and_after_the_fold(
    store: MemoryStore, index: Index
) -> None:
    first = index.append([entry(1, seed=1)], after=index.snapshot(), operation_id="once")
    index.append([entry(1, seed=2)], after=index.snapshot())
    for _ in range(2):
        again = index_of(store)
        assert (
            again.append([entry(1, seed=1)], after=again.snapshot(), operation_id="once") == first
        )
        assert again.snapshot().find(key(1)) == entry(1, seed=2)
        index.fold()


def test_a_repeat_that_overtakes_the_first_attempt_counts_where_it_was_acknowledged(
    store: MemoryStore, index: Index
) -> None:
    """The first attempt arrives late, with a clock below a delete that the repeat came after."""
    early = index.snapshot()
    other = index_of(store)
    other.append(deletions=[OfPicture(key(1))], after=other.snapshot())
    repeat = index_of(store, StillClock(5_000_000))
    acknowledged = repeat.append([entry(1)], after=repeat.snapshot(), operation_id="once")
    index.append([entry(1)], after=early, operation_id="once")
    for _ in range(2):
        assert repeat.snapshot().find(key(1)) == entry(1)
        assert repeat.snapshot().pictures == 1
        third = index_of(store)
        assert third.append([], after=third.snapshot(), operation_id="once") == acknowledged
        repeat.fold()


def test_a_write_too_late_after_its_snapshot_is_not_acknowledged(store: MemoryStore) -> None:
    clock = StillClock()
    index = index_of(store, clock, write_deadline=60)
    index.create()
    moment = index.snapshot()
    clock.sleep(59)
    index.append([entry(1)], after=moment)
    clock.sleep(2)
    with pytest.raises(StorageUnavailable, match="not certain"):
        index.append([entry(2)], after=moment)
    assert keys_in(index) == [("1", "a")]


def test_a_batch_too_large_is_refused(index: Index) -> None:
    with pytest.raises(ValueError, match="500"):
        index.append([entry(n) for n in range(501)], after=index.snapshot())
    with pytest.raises(ValueError, match="10000"):
        index.append(deletions=[OfProduct("1")] * 10_001, after=index.snapshot())


def test_a_sequence_not_reached_is_waited_for_and_then_said_so(store: MemoryStore) -> None:
    clock = StillClock()
    index = index_of(store, clock)
    index.create()
    sequence = index.append([entry(1)], after=index.snapshot())
    assert index.snapshot(min_sequence=sequence).sequence == sequence
    began = clock.monotonic()
    with pytest.raises(NotYetVisible, match=str(sequence + 1)):
        index.snapshot(min_sequence=sequence + 1)
    assert 1.9 < clock.monotonic() - began < 2.2


def test_an_index_that_is_not_there_or_erased_is_unknown(store: MemoryStore) -> None:
    with pytest.raises(UnknownInstance):
        index_of(store).snapshot()
    index = index_of(store)
    index.create()
    index.append([entry(1)], after=index.snapshot())
    index.fold()
    other = index_of(store)
    assert other.snapshot().pictures == 1
    index.erase()
    assert store.keys() == []
    for gone in (index, other):
        with pytest.raises(UnknownInstance):
            gone.snapshot()


def test_creating_twice_keeps_what_is_there(store: MemoryStore, index: Index) -> None:
    index.append([entry(1)], after=index.snapshot())
    index_of(store).create()
    assert keys_in(index_of(store)) == [("1", "a")]


def test_another_model_is_refused(store: MemoryStore, index: Index) -> None:
    other = Index(store, PREFIX, model="n", policy=Policy(parallel=1))
    with pytest.raises(ModelMismatch, match="'m'"):
        other.snapshot()
    with pytest.raises(ModelMismatch):
        other.create()
    assert index.snapshot().pictures == 0


def test_an_add_takes_three_requests_and_a_warm_search_two(
    store: MemoryStore, index: Index
) -> None:
    index.append([entry(n) for n in range(100)], after=index.snapshot())
    index.fold()
    index.append([entry(1)], after=index.snapshot())
    index.snapshot().search(Query(features=look(1)))
    store.requests.clear()
    index.append([entry(2)], after=index.snapshot())
    assert len(store.requests) == 3
    index.snapshot().search(Query(features=look(1)))
    store.requests.clear()
    index.snapshot().search(Query(features=look(1)))
    assert [verb for verb, _ in store.requests] == ["list", "get_if_changed"]


def test_a_fold_keeps_out_what_an_overlapping_one_folded(
    store: MemoryStore, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slower one lists the log in pages; a late write lands before the page it is at."""
    monkeypatch.setattr("tests.stores.PAGE", 1)
    moment = index.snapshot()
    slow = index_of(store, StillClock(2_000_000))
    slow.append([entry(2)], after=slow.snapshot())
    pages = 0

    def overlap(verb: str, _key: str) -> None:
        nonlocal pages
        pages += verb == "list"
        if verb == "list" and pages == 1:
            index.append([entry(1)], after=moment)
            index.fold()
            index.append([entry(3)], after=index.snapshot())

    store.after = overlap
    assert slow.fold()
    assert pages > 1
    assert keys_in(index) == [("1", "a"), ("2", "a"), ("3", "a")]
    assert index.snapshot().pictures == 3


def test_a_batch_takes_three_requests(store: MemoryStore, index: Index) -> None:
    index.snapshot()
    store.requests.clear()
    index.append([entry(n) for n in range(500)], after=index.snapshot())
    assert [verb for verb, _ in store.requests] == ["list", "get_if_changed", "put_if_absent"]


def test_a_snapshot_tells_when_upkeep_is_due(index: Index) -> None:
    for n in range(64):
        assert not index.snapshot().wants_upkeep
        index.append([entry(n)], after=index.snapshot())
    assert index.snapshot().wants_upkeep
    index.maintain()
    assert not index.snapshot().wants_upkeep
    for n in range(4):
        index.append([entry(n, i) for i in range(500)], after=index.snapshot())
    assert index.snapshot().wants_upkeep
