"""Looking up pictures of an index that an engine serves: one question, however many they are."""

import pytest
from imagesearch.index import Index, Policy, Snapshot

from tests.engines.exact import ExactEngine
from tests.index.makers import PREFIX, entry, look
from tests.stores import MemoryStore


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
