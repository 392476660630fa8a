"""Searches of an index that an engine elsewhere serves: right, and without opening a file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import EngineUnavailable
from imagesearch.index import (
    Change,
    Index,
    OfPicture,
    OfProduct,
    Policy,
    Query,
    SystemClock,
    likeness,
)
from imagesearch.index.outposts import EngineRanking

from tests.engines.exact import Failures
from tests.index.makers import PREFIX, entry, key, look
from tests.index.outposts import POLICY, Place, files_read, pictures

QUERIES = [
    {},
    {"num": 60},
    {"start": 20, "num": 30},
    {"category_id": 3},
    {"category_id": 22},
    {"filter": Filter.parse("int_attr < 2"), "num": 40},
    {"filter": Filter.parse("int_attr = 7"), "num": 40},
]


class Slow(SystemClock):
    """A clock that is far behind."""

    def now(self) -> int:
        return 0


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
    assert snapshot.search(query, ranking=EngineRanking(place.engine, parallel=1)) == here
    assert place.engine.calls == ["nearest"]


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
