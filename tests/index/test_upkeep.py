"""Upkeep keeps what is stored small and answers the same, and never deletes what is needed."""

import random

import pytest
from imagesearch.catalogue import OTHER
from imagesearch.errors import CorruptObject, UnknownGeneration
from imagesearch.index import Entry, Index, OfPicture, OfProduct, Policy, Query

from tests.index.makers import entry, key, look
from tests.stores import MemoryStore

PREFIX = "i/"
MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE


class World:
    """A store and processes that share one time."""

    def __init__(self) -> None:
        self.time = 1_700_000_000_000_000
        self.store = MemoryStore(self.now)
        self.index = self.process()
        self.index.create()

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return self.time / 1e6

    def sleep(self, seconds: float) -> None:
        self.time += int(seconds * 1e6)

    def process(self, **policy: float) -> Index:
        settings = Policy(parallel=1, **policy)  # type: ignore[arg-type]
        return Index(self.store, PREFIX, model="m", clock=self, policy=settings)

    def add(self, *entries: Entry) -> int:
        return self.index.append(entries, after=self.index.snapshot())

    def delete(self, *deletions: OfPicture | OfProduct) -> int:
        return self.index.append(deletions=deletions, after=self.index.snapshot())

    def keys(self) -> list[str]:
        return [p.key.product_id for p in self.process().snapshot().matching(None, limit=10_000)]


@pytest.fixture
def world() -> World:
    return World()


def state(index: Index) -> tuple[object, ...]:
    """Everything that a reader can see."""
    snapshot = index.snapshot()
    listed = snapshot.matching(None, limit=10_000)
    return (
        snapshot.pictures,
        snapshot.products,
        [snapshot.find(picture.key) for picture in listed],
        snapshot.search(Query(features=look(1), num=100)),
    )


def test_segments_of_similar_size_are_merged_and_each_row_is_copied_once_a_tier(
    world: World,
) -> None:
    for n in range(70):
        world.add(entry(n))
        world.index.fold()
        before = state(world.index)
        world.index.maintain()
        assert state(world.process()) == before
    sizes = [s.rows for s in world.index.snapshot().view.manifest.segments]
    assert len(sizes) < 8
    assert sum(sizes) == 70


def test_a_segment_with_many_dead_rows_is_rewritten_and_an_empty_one_dropped(
    world: World,
) -> None:
    world.add(*(entry(n) for n in range(100)))
    world.index.fold()
    for last in (31, 100):
        world.delete(*(OfPicture(key(n)) for n in range(last)))
        before = state(world.index)
        world.index.maintain()
        assert state(world.process()) == before
        sizes = [s.rows for s in world.index.snapshot().view.manifest.segments]
        assert sizes == ([69] if last == 31 else [])


def test_no_segment_grows_past_the_limit(world: World) -> None:
    small = world.process(segment_rows=100, tier=2)
    for n in range(10):
        world.add(*(entry(f"{n}-{i}") for i in range(30)))
        while small.maintain().more:
            pass
    sizes = [s.rows for s in world.index.snapshot().view.manifest.segments]
    assert sum(sizes) == 300
    assert max(sizes) <= 100
    assert len(sizes) <= 7


@pytest.mark.parametrize("seed", range(6))
def test_writes_and_folds_during_a_merge_are_not_lost(world: World, seed: int) -> None:
    dice = random.Random(seed)
    for part in range(9):
        world.add(*(entry(n) for n in range(part * 10, part * 10 + 10)))
        world.index.fold()
    other = world.process()
    gone, new = dice.sample(range(90), 9), dice.randrange(90)
    alive = set(range(90)) - {*gone} | {new}

    def meddle(verb: str, name: str) -> None:
        """While the merge uploads its segment, another process deletes, replaces and folds."""
        if verb != "put" or "/seg/" not in name:
            return
        world.store.after = lambda *_: None
        deletions = [OfPicture(key(n)) for n in gone]
        other.append([entry(new, seed=7)], deletions, after=other.snapshot())
        if dice.random() < 0.7:
            other.fold()

    world.store.after = meddle
    assert world.index.maintain().merged == 9
    assert state(world.process()) == state(other)
    assert world.keys() == sorted(str(n) for n in alive)


def test_a_merge_gives_way_to_a_rollback_that_revived_its_dead(world: World) -> None:
    world.add(*(entry(n) for n in range(100)))
    world.index.fold()
    whole = world.index.snapshot().generation
    world.delete(*(OfPicture(key(n)) for n in range(50)))
    world.index.fold()
    other = world.process()

    def meddle(verb: str, name: str) -> None:
        if verb == "put" and "/seg/" in name:
            world.store.after = lambda *_: None
            other.rollback(whole)

    world.store.after = meddle
    assert world.index.maintain().merged == 0
    assert len(world.keys()) == 100


def test_the_log_is_listed_from_the_low_water_mark_once_it_is_settled(world: World) -> None:
    for n in range(5):
        world.add(entry(n))
    world.index.maintain()
    assert listed(world) == 5
    world.sleep(600)
    world.index.maintain()
    world.sleep(600)
    world.index.maintain()
    assert listed(world) == 5, "a short log keeps its names for a day"
    world.sleep(DAY / 1e6)
    world.index.maintain()
    assert listed(world) == 0
    world.add(entry(9))
    assert listed(world) == 1
    assert world.keys() == ["0", "1", "2", "3", "4", "9"]


def listed(world: World) -> int:
    return len(world.process().snapshot().operations)


def test_a_long_log_is_settled_after_two_minutes_and_no_sooner(world: World) -> None:
    busy = world.process(listing_target=3)
    for n in range(5):
        world.add(entry(n))
    busy.maintain()
    world.add(entry(5))
    busy.maintain()
    world.sleep(119)
    busy.maintain()
    assert listed(world) == 6
    assert not busy.snapshot().wants_upkeep
    world.sleep(2)
    assert busy.snapshot().wants_upkeep
    busy.maintain()
    assert not busy.snapshot().wants_upkeep
    assert listed(world) == 1, "what came in after the mark stays listed"
    assert len(world.keys()) == 6


def test_a_write_as_late_as_may_be_is_folded_before_it_is_settled(world: World) -> None:
    late = world.process()
    moment = late.snapshot()
    world.add(entry(1))
    world.index.maintain()
    world.index.maintain()
    world.sleep(59)
    late.append([entry(2)], after=moment)
    for _ in range(40):
        world.sleep(3600)
        world.index.maintain()
    assert listed(world) == 0
    assert world.keys() == ["1", "2"]


def test_garbage_goes_after_its_time_of_grace_and_answers_stay(world: World) -> None:
    for n in range(30):
        world.add(entry(n))
        world.index.fold()
        while world.index.maintain().more:
            pass
    world.delete(OfPicture(key(3)))
    before = state(world.index)
    for _ in range(12):
        world.sleep(DAY / 1e6)
        world.index.maintain()
        assert state(world.process()) == before
    manifest = world.index.snapshot().view.manifest
    files = {f"{PREFIX}seg/{s.id}.{file}" for s in manifest.segments for file in s.files}
    assert set(world.store.keys(PREFIX + "seg/")) == files
    assert world.store.keys(PREFIX + "wal/") == []
    assert world.store.keys(PREFIX + "tomb/") == ([f"{PREFIX}tomb/{manifest.tombs}"])
    assert len(world.store.keys(PREFIX + "history/")) < 9


def test_what_a_crashed_fold_left_is_collected_but_not_within_a_day(world: World) -> None:
    world.add(entry(1))

    def crash(verb: str, _key: str) -> None:
        if verb == "compare_and_swap":
            raise KeyboardInterrupt

    world.store.before = crash
    with pytest.raises(KeyboardInterrupt):
        world.index.fold()
    world.store.before = lambda *_: None
    orphans = world.store.keys(PREFIX + "seg/")
    assert orphans
    world.process().maintain()
    world.sleep(0.9 * DAY / 1e6)
    world.process(sweep_every=1).maintain()
    assert set(orphans) <= set(world.store.keys(PREFIX + "seg/"))
    world.sleep(0.2 * DAY / 1e6)
    world.process(sweep_every=1).maintain()
    assert not set(orphans) & set(world.store.keys(PREFIX + "seg/"))
    assert world.keys() == ["1"]


def test_a_late_first_copy_does_not_bring_back_what_a_rollback_has_undone(world: World) -> None:
    world.add(entry(1))
    world.index.fold()
    before = world.index.snapshot()
    first = world.process()
    late: list[tuple[str, bytes]] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world.store, "put_if_absent", lambda *request: late.append(request))
        first.append([entry(2)], after=before, operation_id="op")
    world.sleep(1)
    world.index.append([entry(2)], after=world.index.snapshot(), operation_id="op")
    assert world.keys() == ["1", "2"]
    world.index.rollback(before.generation - 1)
    assert world.keys() == []
    world.store.put_if_absent(*late[0])
    assert world.keys() == []
    world.add(entry(3))
    assert world.keys() == ["3"]


def test_a_rollback_outlives_a_collection_that_lets_its_generation_go(world: World) -> None:
    """The rollback has read its generation; two collect at once, the second once that is gone."""
    world.add(entry(1))
    world.index.fold()
    good = world.index.snapshot().generation
    world.delete(OfProduct("1"))
    for n in range(20):
        world.add(entry(n + 2))
        world.index.fold()
        world.index.maintain()
    world.sleep(8 * DAY / 1e6)
    waiting = ["compare_and_swap", "list"]

    def meanwhile(verb: str, _key: str) -> None:
        gone = f"{PREFIX}history/{good:012d}" not in world.store.keys(PREFIX)
        if waiting and verb == waiting[-1] and (verb == "list" or gone):
            waiting.pop()
            world.process().maintain()

    world.store.before = meanwhile
    world.process().rollback(good)
    world.store.before = lambda *_: None
    assert world.keys() == ["1"]
    assert not world.process().scrub().problems


def test_a_rollback_restores_a_generation_and_can_itself_be_undone(world: World) -> None:
    world.add(entry(1), entry(2))
    world.index.fold()
    good = world.index.snapshot().generation
    kept = state(world.index)
    world.delete(OfProduct("1"))
    world.add(entry(3))
    world.index.fold()
    bad = world.index.snapshot().generation
    world.add(entry(4))
    assert [g.number for g in world.index.generations()] == [1, good]
    assert world.process().rollback(good) == bad + 1
    assert state(world.index) == kept
    world.add(entry(5))
    assert world.keys() == ["1", "2", "5"]
    world.index.rollback(bad)
    assert world.keys() == ["2", "3"]
    for _ in range(10):
        world.sleep(DAY / 1e6)
        world.index.maintain()
    assert world.keys() == ["2", "3"]
    assert world.index.scrub().problems == ()


def test_a_generation_can_be_restored_for_a_week_and_then_is_unknown(world: World) -> None:
    world.add(entry(1))
    world.index.fold()
    first = world.index.snapshot().generation
    world.add(entry(2))
    world.index.fold()
    for _ in range(6):
        world.sleep(DAY / 1e6)
        world.index.maintain()
    world.index.rollback(first)
    assert world.keys() == ["1"]
    for _ in range(3):
        world.sleep(DAY / 1e6)
        world.index.maintain()
    with pytest.raises(UnknownGeneration, match=str(first)):
        world.index.rollback(first)


def test_a_rollback_to_what_is_not_whole_changes_nothing(world: World) -> None:
    world.add(entry(1))
    world.index.fold()
    first = world.index.snapshot().generation
    for n in range(2, 10):
        world.add(entry(n))
        world.index.fold()
    world.index.maintain()
    lost = next(k for k in world.store.keys(PREFIX + "seg/") if f"/{first:012d}-" in k)
    world.store.lose(lost)
    with pytest.raises(CorruptObject, match=lost):
        world.index.rollback(first)
    assert len(world.keys()) == 9


def test_an_operation_is_remembered_for_a_day(world: World) -> None:
    def repeat() -> int:
        process = world.process()
        process.maintain()
        return process.append([entry(1)], after=process.snapshot(), operation_id="once")

    first = repeat()
    for _ in range(23):
        world.sleep(3600)
        assert repeat() == first
    world.sleep(5 * 3600)
    repeat()
    assert repeat() != first


def test_a_lost_answer_to_a_commit_is_not_a_lost_fold(world: World) -> None:
    world.add(entry(1))

    def lose(verb: str, _key: str) -> None:
        if verb == "compare_and_swap":
            raise ConnectionError

    world.store.after = lose
    with pytest.raises(ConnectionError):
        world.index.fold()
    world.store.after = lambda *_: None
    assert world.keys() == ["1"]
    assert world.index.fold() is False
    assert world.index.snapshot().log_length == 0


def test_an_index_at_rest_is_left_alone(world: World) -> None:
    world.add(entry(1, category=OTHER))
    for _ in range(3):
        world.sleep(2 * DAY / 1e6)
        world.index.maintain()
    generation = world.index.snapshot().generation
    world.sleep(3600)
    world.index.maintain()
    assert world.index.snapshot().generation == generation
