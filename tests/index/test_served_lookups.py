"""Looking up pictures of an index that an engine serves: few questions, however many they are."""

from collections.abc import Sequence
from threading import Barrier

import pytest
from imagesearch.catalogue.filter import Filter
from imagesearch.index import Change, Entry, Index, Policy, Query, Snapshot

from tests.engines.exact import ExactEngine
from tests.index.makers import PREFIX, entry, key, look
from tests.stores import MemoryStore

FEW, MANY = 40, 240
AT_ONCE = 4
CHANGED = Query(features=look(1), num=100, filter=Filter.parse("int_attr = 7"))


@pytest.fixture
def engine() -> ExactEngine:
    return ExactEngine()


@pytest.fixture
def snapshot(engine: ExactEngine) -> Snapshot:
    policy = Policy(parallel=1)
    index = Index(MemoryStore(), PREFIX, model="m", policy=policy, engines=lambda _: engine)
    index.create()
    index.append([entry(n, features=look(n)) for n in range(4)], after=index.snapshot())
    index.attach(engine.name)
    index.fold()
    assert index.switch(serving=True)
    index.append([entry(4, features=look(4))], after=index.snapshot())
    engine.calls.clear()
    return index.snapshot()


def test_many_pictures_are_looked_up_by_one_question(
    snapshot: Snapshot, engine: ExactEngine
) -> None:
    wanted = [entry(n, features=look(n)) for n in (0, 3, 4)]
    keys = [one.picture.key for one in (*wanted, entry(9))]
    assert snapshot.find_all(keys, meaning=False) == {one.picture.key: one for one in wanted}
    assert engine.calls == ["find"]


def test_a_picture_that_is_only_in_the_log_asks_the_engine_nothing(
    snapshot: Snapshot, engine: ExactEngine
) -> None:
    assert snapshot.find_all([entry(4).picture.key], meaning=False).keys() == {entry(4).picture.key}
    assert engine.calls == []


def changed_index(engine: ExactEngine, parallel: int = 1) -> Index:
    """Return an index of two held segments, and a tail that changes every picture of both."""
    policy = Policy(parallel=parallel)
    index = Index(MemoryStore(), PREFIX, model="m", policy=policy, engines=lambda _: engine)
    index.create()
    index.attach(engine.name)
    for start in range(0, MANY, MANY // 2):
        index.append(entries(range(start, start + MANY // 2)), after=index.snapshot())
        index.fold()
    assert index.switch(serving=True)
    change(index, range(MANY), 7)
    engine.calls.clear()
    return index


def entries(numbers: Sequence[int]) -> list[Entry]:
    """Return pictures; the two segments have a category each."""
    half = MANY // 2
    return [entry(n, features=look(n % 9, 0.01 * n), category=n // half) for n in numbers]


def change(index: Index, numbers: Sequence[int], value: int) -> None:
    changes = [Change(key(n), {"int_attr": value}) for n in numbers]
    index.append(changes=changes, after=index.snapshot())


def test_changed_pictures_are_looked_up_in_as_few_requests_as_they_fit() -> None:
    engine = ExactEngine(named_at_once=FEW)
    answer = changed_index(engine).snapshot().search(CHANGED)
    assert answer.total == MANY
    assert engine.calls.count("find") == 2 * MANY // FEW


def test_what_was_looked_up_is_not_asked_for_again_after_another_write() -> None:
    engine = ExactEngine(named_at_once=FEW)
    index = changed_index(engine)
    index.snapshot().search(CHANGED)
    engine.calls.clear()
    change(index, range(3), 8)
    index.append([entry("new", features=look(1), int_attr=7)], after=index.snapshot())
    assert index.snapshot().search(CHANGED).total == MANY - 2
    assert engine.calls == ["nearest"]
    change(index, ["new"], 7)
    assert index.snapshot().search(CHANGED).total == MANY - 2
    assert engine.calls == ["nearest", "find", "nearest"]


def test_searches_in_different_categories_share_what_was_looked_up() -> None:
    engine = ExactEngine(named_at_once=FEW)
    index = changed_index(engine)
    index.snapshot().search(CHANGED)
    engine.calls.clear()
    for category in (0, 1, 0):
        asked = Query(features=look(1), category_id=category, filter=CHANGED.filter)
        assert index.snapshot().search(asked).total == MANY // 2
    assert engine.calls == ["nearest"] * 3


def test_several_requests_are_under_way_at_once() -> None:
    engine = ExactEngine(named_at_once=FEW)
    index = changed_index(engine, parallel=AT_ONCE)
    together = Barrier(AT_ONCE)

    def meet(verb: str) -> None:
        if verb == "find":
            together.wait(10)  # which fails unless so many come at once

    engine.before = meet
    assert index.snapshot().search(CHANGED).total == MANY
    assert engine.calls.count("find") % AT_ONCE == 0
