"""An engine elsewhere holds whole segments, and searches of them open no file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from imagesearch.catalogue import OTHER, PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import Conflict, EngineUnavailable
from imagesearch.index import (
    Change,
    Entry,
    Index,
    OfPicture,
    OfProduct,
    Policy,
    Query,
    SystemClock,
    likeness,
)
from imagesearch.index.attachment import lacking
from imagesearch.index.outposts import EngineRanking

from tests.engines.exact import ExactEngine, Failures
from tests.index.makers import PREFIX, entry, key, look
from tests.stores import MemoryStore

DAY = 86_400_000_000
POLICY = Policy(parallel=1, fold_objects=1, tier=4)


class Died(BaseException):
    """The process is gone."""


class Slow(SystemClock):
    """A clock that is far behind."""

    def now(self) -> int:
        return 0


class Place:
    """A store and an engine, and indexes opened there as new processes do."""

    def __init__(self, **options: Any) -> None:
        self.time = 1_700_000_000_000_000
        self.store = MemoryStore(lambda: self.time)
        self.engine = ExactEngine(**options)
        self.entries: dict[PictureKey, Entry] = {}
        self.open().create()

    def open(self) -> Index:
        return Index(
            self.store, PREFIX, model="m", policy=POLICY, engines=lambda _name: self.engine
        )

    def alone(self) -> Index:
        """Return the index as a process has it that cannot open engines."""
        return Index(self.store, PREFIX, model="m", policy=POLICY)

    def add(self, *added: Entry) -> None:
        index = self.open()
        index.append(added, after=index.snapshot())
        self.entries |= {one.picture.key: one for one in added}

    def hand_over(self) -> None:
        self.open().attach(self.engine.name)
        assert self.open().fill()
        assert self.open().switch(serving=True)

    def expected(self, query: Query) -> list[PictureKey]:
        """Return what all pictures, compared one by one, give."""
        found = [
            (-likeness(query.features, one.features).relevance, name)
            for name, one in self.entries.items()
            if query.category_id in (None, one.picture.category_id)
            and (query.filter is None or query.filter.matches(one.picture.attributes))
        ]
        return [name for _, name in sorted(found)][query.start : query.end]

    def check(self, query: Query | None = None) -> None:
        query = query or Query(features=look(1), num=50)
        answer = self.open().snapshot().search(query)
        assert [hit.picture.key for hit in answer.hits] == self.expected(query)

    @property
    def manifest(self) -> Any:
        return self.open().snapshot().manifest


def pictures(start: int, end: int) -> list[Entry]:
    return [
        entry(
            n // 3,
            n % 3,
            features=look(n % 7, 0.01 * n),
            category=(0, 3, OTHER)[n % 3],
            int_attr=n % 5,
        )
        for n in range(start, end)
    ]


@pytest.fixture
def place() -> Place:
    """Return an index of three segments, all held by an engine that serves."""
    made = Place()
    for start in range(0, 90, 30):
        made.add(*pictures(start, start + 30))
        made.open().fold()
    made.hand_over()
    return made


def files_read(place: Place) -> list[str]:
    return [key for verb, key in place.store.requests if "get" in verb and "/seg/" in f"/{key}"]


QUERIES = [
    {},
    {"num": 60},
    {"start": 20, "num": 30},
    {"category_id": 3},
    {"category_id": 22},
    {"filter": Filter.parse("int_attr < 2"), "num": 40},
    {"filter": Filter.parse("int_attr = 7"), "num": 40},
]


@pytest.mark.parametrize("options", QUERIES, ids=lambda o: ",".join(o) or "plain")
def test_no_file_of_a_held_segment_is_read_by_searches(
    place: Place, options: dict[str, Any]
) -> None:
    place.add(*pictures(0, 2), entry("new", features=look(1), int_attr=7))
    index = place.open()
    changes = [Change(key(2, 0), {"int_attr": 7}), Change(key(9, 1), {"int_attr": 0})]
    deletions = [OfPicture(key(3, 1)), OfProduct("4")]
    index.append(deletions=deletions, changes=changes, after=index.snapshot())
    for gone in [key(3, 1), *(key(4, n) for n in range(3))]:
        del place.entries[gone]
    for change in changes:
        old = place.entries[change.key]
        attributes = replace(old.picture.attributes, **change.attributes)
        picture = replace(old.picture, attributes=attributes)
        place.entries[change.key] = replace(old, picture=picture)
    place.store.requests.clear()
    index = place.open()
    snapshot = index.snapshot()
    snapshot.fetch()
    query = Query(features=look(1), **options)
    hits = snapshot.search(query).hits
    assert [hit.picture.key for hit in hits] == place.expected(query)
    for hit in hits:
        assert hit.picture == place.entries[hit.picture.key].picture
        assert hit.likeness == likeness(query.features, place.entries[hit.picture.key].features)
    assert snapshot.find(key(2, 0), meaning=False) == place.entries[key(2, 0)]
    assert snapshot.find(key(4, 0)) is None
    assert files_read(place) == []
    assert index.downloads == 0
    assert place.engine.calls.count("nearest") > 0 or query.category_id == 22


def test_a_search_is_one_question_to_the_engine(place: Place) -> None:
    snapshot = place.open().snapshot()
    place.engine.calls.clear()
    snapshot.search(Query(features=look(1)))
    assert place.engine.calls == ["nearest"]
    assert place.engine.asked[-1].wanted < 40


def test_a_write_that_arrives_late_is_compared_with_rows_elsewhere(place: Place) -> None:
    index = place.open()
    before = index.snapshot()
    place.add(entry(1, 1, features=look(4)))
    index.fold()
    slow = Index(place.store, PREFIX, model="m", policy=POLICY, clock=Slow())
    slow.append([entry(1, 1, features=look(5)), entry("late")], after=before)
    place.entries[key("late")] = entry("late")
    tail = place.open().snapshot().view.tail.writes
    assert tail[key(1, 1)].version.clock < place.manifest.clock
    place.engine.calls.clear()
    place.store.requests.clear()
    place.check()
    assert files_read(place) == []
    assert sorted(place.engine.calls) == ["find", "nearest"]


def test_totals_are_exact_or_say_that_they_are_not(place: Place) -> None:
    def total(**options: Any) -> tuple[int, bool]:
        answer = place.open().snapshot().search(Query(features=look(1), **options))
        return answer.total, answer.exact

    assert total(num=3) == (90, True)
    assert total(num=3, category_id=3) == (30, True)
    assert total(num=90) == (90, True)
    some, exact = total(num=3, filter=Filter.parse("int_attr >= 0"))
    assert 3 <= some < 90
    assert not exact
    right = (
        place.open()
        .snapshot()
        .search(Query(features=look(1), score_threshold=0.9), elsewhere=False)
    )
    assert total(num=3, score_threshold=0.9) == (right.total, False)
    some, exact = total(num=3, distinct_product=True)
    assert 3 <= some < 30
    assert not exact
    assert total(num=50, distinct_product=True) == (30, True)
    place.add(entry(1, 1, features=look(4)))
    assert total(num=3) == (91, False)
    place.open().fold()
    assert total(num=3) == (90, True)


def test_an_engine_that_returns_few_rows_gives_what_it_can() -> None:
    place = Place(deepest=40)
    place.add(*pictures(0, 90))
    place.open().fold()
    place.hand_over()
    place.check(Query(features=look(1), num=10))
    answer = place.open().snapshot().search(Query(features=look(1), num=10, start=35))
    assert len(answer.hits) == 5
    assert answer.total == 90


def test_equal_looks_come_in_the_order_of_keys_on_every_page() -> None:
    place = Place()
    place.add(*[entry(n, features=look(1)) for n in range(120)])
    place.open().fold()
    place.hand_over()
    for start in range(0, 120, 30):
        place.check(Query(features=look(1), start=start, num=30))


def test_of_thousands_of_equal_looks_those_that_are_proposed_are_hits() -> None:
    place = Place()
    for start in range(0, 4500, 500):
        place.add(*[entry(n, features=look(1)) for n in range(start, start + 500)])
    place.open().fold()
    place.hand_over()
    answer = place.open().snapshot().search(Query(features=look(1)))
    assert len(answer.hits) == 10
    assert answer.total == 4500
    assert place.engine.asked[-1].wanted < 4500


def test_a_segment_is_filled_before_the_manifest_names_it(place: Place) -> None:
    order: list[str] = []
    place.engine.before = order.append
    place.store.before = lambda verb, _key: order.append(verb)
    place.add(*pictures(90, 100))
    order.clear()
    place.open().fold()
    assert order.index("fill") < order.index("compare_and_swap")
    assert all(info.held == place.engine.name for info in place.manifest.segments)
    for _ in range(3):
        place.add(*pictures(0, 5))
        place.open().maintain()
    assert all(info.held == place.engine.name for info in place.manifest.segments)
    place.check()


@pytest.mark.parametrize("late", [False, True])
def test_a_fold_never_fails_because_of_the_engine(place: Place, late: bool) -> None:
    failures = Failures(place.engine)
    failures.begin(0, 1000, late=late)
    place.add(*pictures(90, 95))
    place.engine.calls.clear()
    assert place.open().maintain().folded
    assert place.engine.calls == ["fill", "fill"]  # the fold's, and the merge's after it
    assert place.open().maintain().filled == 0
    assert len(lacking(place.manifest)) == 1
    failures.end()
    place.check()
    done = place.open().maintain()
    assert (done.filled, done.more) == (1, False)
    assert lacking(place.manifest) == []
    place.check()


def test_a_process_that_cannot_open_the_engine_folds_and_says_why_it_does_not_search(
    place: Place,
) -> None:
    index = place.alone()
    index.append(pictures(90, 95), after=index.snapshot())
    place.entries |= {one.picture.key: one for one in pictures(90, 95)}
    assert index.fold()
    with pytest.raises(EngineUnavailable) as error:
        index.snapshot().search(Query(features=look(1)))
    assert place.engine.name in error.value.detail
    assert error.value.fix
    assert index.snapshot().find(key(0, 0)) == place.entries[key(0, 0)]
    assert index.snapshot().pictures == 95
    place.check()
    assert place.open().switch(serving=False)
    assert place.alone().snapshot().search(Query(features=look(1))).total == 95


def test_what_the_engine_lacks_is_ranked_here(place: Place) -> None:
    failures = Failures(place.engine)
    failures.begin(0, 1, late=False)
    place.add(*pictures(85, 100))
    place.open().fold()
    place.check()
    place.store.requests.clear()
    place.check()
    held = {info.id for info in place.manifest.segments if info.held}
    assert not any(name in read for name in held for read in files_read(place))


def test_either_side_can_be_asked_whoever_serves(place: Place) -> None:
    query = Query(features=look(1), num=50)
    place.engine.calls.clear()
    snapshot = place.open().snapshot()
    here = snapshot.search(query, elsewhere=False)
    assert place.engine.calls == []
    assert snapshot.search(query) == here
    assert place.open().switch(serving=False)
    snapshot = place.open().snapshot()
    place.engine.calls.clear()
    assert snapshot.search(query) == here
    assert place.engine.calls == []
    assert snapshot.search(query, ranking=EngineRanking(place.engine)) == here
    assert place.engine.calls == ["nearest"]


def test_an_engine_that_was_attached_anew_holds_nothing(place: Place) -> None:
    place.open().detach()
    place.engine.erase()
    with pytest.raises(Conflict):
        place.open().switch(serving=True)
    place.open().attach(place.engine.name)
    assert len(lacking(place.manifest)) == 3
    place.open().switch(serving=True)
    place.check()
    told: list[tuple[int, int]] = []
    assert place.open().fill(lambda *progress: told.append(progress))
    assert told[0] == (0, 90)
    assert told[-1] == (90, 90)
    assert told == sorted(told)
    place.check()


def test_filling_goes_on_where_it_ended(place: Place) -> None:
    place.open().detach()
    place.open().attach(place.engine.name)
    turns = count()
    assert not place.open().fill(has_time=lambda: next(turns) < 2)
    assert len(lacking(place.manifest)) == 1
    place.engine.calls.clear()
    assert place.open().fill()
    assert place.engine.calls == ["fill"]


def test_two_may_fill_at_once(place: Place) -> None:
    place.open().detach()
    place.open().attach(place.engine.name)
    other = place.open()

    def meanwhile(_verb: str) -> None:
        place.engine.before = lambda _verb: None
        assert other.fill()

    place.engine.before = meanwhile
    assert place.open().fill()
    assert lacking(place.manifest) == []
    place.check()


def test_a_segment_that_was_merged_away_while_it_was_filled_is_not_marked(place: Place) -> None:
    place.open().detach()
    place.engine.erase()
    place.open().attach(place.engine.name)

    def meanwhile(_verb: str) -> None:
        place.engine.before = lambda _verb: None
        place.add(*pictures(90, 95))
        assert place.open().maintain().merged

    place.engine.before = meanwhile
    assert place.open().fill()
    assert lacking(place.manifest) == []
    place.check()


def test_an_engine_that_was_erased_while_it_was_filled_is_not_marked(place: Place) -> None:
    def meanwhile(_verb: str) -> None:
        place.engine.after = lambda _verb: None
        place.open().detach()
        place.engine.erase()
        place.open().attach(place.engine.name)

    place.open().detach()
    place.open().attach(place.engine.name)
    place.add(*pictures(90, 95))
    place.open().fold()
    for begin in (
        lambda: place.open().fill(has_time=once()),
        lambda: place.open().maintain().merged,
    ):
        place.engine.after = meanwhile
        assert begin() in (False, 4)
        held = {info.id for info in place.manifest.segments if info.held}
        assert held <= place.engine.segments


def once() -> Callable[[], bool]:
    turns = count()
    return lambda: next(turns) < 1


def steps(place: Place, work: Callable[[Index], object]) -> Iterator[int]:
    """Do the work, ending it before every request but the first so many; yield each time."""
    for number in count():
        left = iter(range(number))

        def step(*_request: object, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Died

        place.store.before = place.engine.before = step
        try:
            work(place.open())
        except Died:
            place.store.before = place.engine.before = lambda *_request: None
            yield number
        else:
            place.store.before = place.engine.before = lambda *_request: None
            return


def test_a_crash_at_any_step_of_a_fold_leaves_a_whole_answer(place: Place) -> None:
    place.add(*pictures(80, 100))
    died = 0
    for _ in steps(place, lambda index: index.fold()):
        place.check()
        died += 1
    assert died > 8
    place.check()
    assert lacking(place.manifest) == []


def test_a_crash_at_any_step_of_filling_leaves_a_whole_answer(place: Place) -> None:
    place.open().detach()
    place.engine.erase()
    place.open().attach(place.engine.name)
    place.open().switch(serving=True)
    died = 0
    for _ in steps(place, lambda index: index.fill(has_time=once())):
        place.check()
        died += 1
    assert died > 4
    assert place.open().fill()
    place.check()


def test_a_crash_at_any_step_of_a_merge_leaves_a_whole_answer(place: Place) -> None:
    place.add(*pictures(85, 95))
    place.open().fold()
    place.add(*pictures(95, 100))
    died = 0
    for _ in steps(place, lambda index: index.maintain()):
        place.check()
        died += 1
    assert died > 8
    place.check()
    assert lacking(place.manifest) == []


def old(place: Place, days: int = 9) -> None:
    """Let days pass, with the upkeep of each."""
    for _ in range(days):
        place.time += DAY
        place.open().maintain()


def test_rows_go_with_their_segments_files_and_not_before(place: Place) -> None:
    before = place.engine.segments
    place.add(*pictures(85, 95))
    while place.open().maintain().more:
        pass
    assert not before & {info.id for info in place.manifest.segments}
    assert before < place.engine.segments
    old(place)
    assert place.engine.segments == {info.id for info in place.manifest.segments}
    place.check()


def test_a_segment_stays_while_the_engine_cannot_be_told(place: Place) -> None:
    before = place.engine.segments
    place.add(*pictures(85, 95))
    while place.open().maintain().more:
        pass
    stored = {info.key for info in place.store.list(f"{PREFIX}seg/")}
    failures = Failures(place.engine)
    failures.begin(0, 10**6, late=False)
    old(place)
    place.engine.calls.clear()
    old(place, 1)
    assert place.engine.calls == ["remove"]
    assert stored == {info.key for info in place.store.list(f"{PREFIX}seg/")}
    failures.end()
    old(place, 1)
    assert stored > {info.key for info in place.store.list(f"{PREFIX}seg/")}
    assert not before & place.engine.segments
    place.check()


def test_what_a_fold_left_that_died_after_filling_is_collected(place: Place) -> None:
    place.add(*pictures(85, 95))
    held = place.engine.segments
    for _ in steps(place, lambda index: index.fold()):
        pass
    assert place.engine.segments > {info.id for info in place.manifest.segments} > held
    old(place)
    assert place.engine.segments == {info.id for info in place.manifest.segments}
    place.check()


def test_a_rollback_finds_its_segments_held(place: Place) -> None:
    generation, entries = place.manifest.generation, dict(place.entries)
    place.add(*pictures(85, 95))
    while place.open().maintain().more:
        pass
    later, newer = place.open().pin(), dict(place.entries)
    place.open().rollback(generation)
    place.entries = entries
    assert lacking(place.manifest) == []
    assert place.manifest.outpost.serving
    place.check()
    place.open().rollback(later)
    place.entries = newer
    place.check()


def test_a_rollback_does_not_trust_what_an_erased_engine_held(place: Place) -> None:
    generation, entries = place.manifest.generation, dict(place.entries)
    place.add(*pictures(85, 95))
    while place.open().maintain().more:
        pass
    place.open().detach()
    place.engine.erase()
    place.hand_over()
    place.open().rollback(generation)
    place.entries = entries
    assert len(lacking(place.manifest)) == 3
    place.check()
    assert place.open().fill()
    place.check()


def test_a_rollback_to_before_the_hand_over_is_ranked_here_until_it_is_filled() -> None:
    place = Place()
    place.add(*pictures(0, 30))
    generation = place.open().pin()
    place.hand_over()
    place.add(*pictures(20, 40))
    place.open().fold()
    place.open().rollback(generation)
    place.entries = {one.picture.key: one for one in pictures(0, 30)}
    assert place.manifest.outpost.serving
    place.check()
    assert place.open().fill()
    place.check()


def test_erasing_an_index_erases_what_the_engine_holds(place: Place) -> None:
    failures = Failures(place.engine)
    failures.begin(0, 1, late=False)
    with pytest.raises(EngineUnavailable):
        place.open().erase()
    assert not place.open().exists()
    place.open().erase()
    assert place.engine.rows is None
    assert [*place.store.list("")] == []


def test_the_same_answers_while_threads_share_the_work(place: Place) -> None:
    index = Index(
        place.store,
        PREFIX,
        model="m",
        policy=Policy(parallel=8),
        engines=lambda _name: place.engine,
    )
    place.add(*pictures(80, 100))
    query = Query(features=look(1), num=50)
    hits = index.snapshot().search(query).hits
    assert [hit.picture.key for hit in hits] == place.expected(query)
