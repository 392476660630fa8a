"""One suite for whatever ranks: the index by itself, and with each engine behind its seam.

Every answer is held against a search through a dictionary: which pictures, in which order, with
which relevance and Hamming distance, and how many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from imagesearch.catalogue import Attributes
from imagesearch.errors import EngineUnavailable
from imagesearch.index import (
    OfPicture,
    OfProduct,
    Query,
)
from imagesearch.index.engine import Engine

from tests.engines.conftest import KINDS, opener_of, unused_name
from tests.engines.exact import ExactEngine
from tests.engines.library import QUERIES, Gate, Library, asked, pictures
from tests.index.expected import check_search
from tests.index.makers import entry, key, look

HERE = "here"
ENGINES = ["exact", *KINDS]
with_engines = pytest.mark.parametrize("library", ENGINES, indirect=True)


@pytest.fixture(params=[HERE, *ENGINES])
def library(request: pytest.FixtureRequest) -> Iterator[Library]:
    if request.param == HERE:
        yield Library(None)
        return
    engine: Engine
    if request.param == "exact":
        engine = ExactEngine()
    else:
        engine = opener_of(request.param, request)(unused_name())
    yield Library(engine)
    engine.erase()


@pytest.fixture
def filled(library: Library) -> Library:
    """Two segments of sixty pictures, held if there is an engine, and a tail of ten."""
    library.add(*pictures(0, 60))
    library.index.fold()
    library.hand_over()
    library.add(*pictures(60, 120))
    library.index.fold()
    library.add(*pictures(120, 130))
    assert library.served() is (library.gate is not None)
    assert library.held() == [library.gate is not None] * 2
    return library


def test_answers_are_those_of_a_search_through_everything(filled: Library) -> None:
    filled.check()


def test_an_acknowledged_write_is_found_at_once(filled: Library) -> None:
    for number in range(3):
        new = entry("new", str(number), seed=900 + number)
        filled.add(new)
        query = Query(features=new.features, num=1)
        filled.check(query)
        assert filled.opened().snapshot().search(query).hits[0].picture == new.picture


def test_an_overwritten_picture_is_found_as_it_is_now_only(filled: Library) -> None:
    old = filled.model[key("p1", "n4")]
    filled.add(entry("p1", "n4", seed=777, category=7, int_attr=1))
    for _before_and_after in range(2):
        filled.check(Query(features=old.features, num=130), Query(features=look(777)), *QUERIES)
        filled.index.fold()


def test_deleted_pictures_and_products_are_gone(filled: Library) -> None:
    gone = [filled.model[key("p1", "n4")], filled.model[key("p2", "n6")]]
    filled.delete(OfPicture(key("p1", "n4")), OfProduct("p2"), OfProduct("p41"), OfProduct("p0"))
    for _before_and_after in range(2):
        filled.check(*(Query(features=one.features, num=3) for one in gone), *QUERIES)
        filled.index.fold()


def test_what_was_deleted_can_come_again(filled: Library) -> None:
    filled.delete(OfProduct("p3"))
    filled.check(asked(10, num=100))
    filled.add(*pictures(9, 11))
    filled.index.fold()
    filled.check()


def test_changed_attributes_count_at_once(filled: Library) -> None:
    filled.change(key("p0", "n1"), int_attr=4, str_attr="红")
    filled.change(key("p0", "n0"), int_attr=99)
    filled.change(key("p41", "n124"), int_attr=99)
    changed = asked(0, "int_attr = 99"), asked(1, 'str_attr = "红"', num=100)
    for _before_and_after in range(2):
        filled.check(*changed, *QUERIES)
        filled.index.fold()
    assert filled.index.snapshot().search(changed[0]).total == 2


def test_pages_fit_together(filled: Library) -> None:
    for options in ({}, {"distinct_product": True}, {"category_id": 3}):
        query = asked(11, num=100, **options)
        whole = filled.index.snapshot().search(query).hits
        parts = [replace(query, start=start, num=7) for start in range(0, 100, 7)]
        found = [hit for part in parts for hit in filled.index.snapshot().search(part).hits]
        assert tuple(found)[: len(whole)] == whole


def test_equal_pictures_come_in_the_order_of_their_keys(filled: Library) -> None:
    filled.add(*(entry(f"same{n}", "a", seed=500) for n in range(40, 0, -1)))
    filled.index.fold()
    filled.add(*(entry(f"same{n}", "b", seed=500) for n in (3, 1, 2)))
    filled.check(Query(features=look(500), num=25), Query(features=look(500), num=25, start=10))
    first = filled.index.snapshot().search(Query(features=look(500), num=1)).hits[0]
    assert first.likeness.sort_expr_values == "7.33136443711219e+24;0"


def test_upkeep_changes_no_answer(filled: Library) -> None:
    for number in range(5):
        filled.add(*pictures(200 + 10 * number, 210 + 10 * number))
        filled.delete(OfProduct(f"p{number}"))
        filled.time += 10**9
        filled.index.fold()
        filled.index.maintain()
    assert len(filled.held()) < 7
    assert all(filled.held()) is (filled.gate is not None)
    filled.check()


def test_an_earlier_generation_comes_back_as_it_was(filled: Library) -> None:
    filled.index.fold()
    before, generation = dict(filled.model), filled.index.snapshot().generation
    filled.delete(OfProduct("p5"), OfProduct("p30"))
    filled.add(*pictures(300, 330), entry("p1", "n4", seed=778))
    filled.index.fold()
    filled.check()
    filled.index.rollback(generation)
    filled.model = before
    filled.check()
    filled.add(entry("after", seed=12))
    filled.check()


def engine_of(library: Library) -> Gate:
    assert library.gate is not None
    return library.gate


@with_engines
def test_an_engine_that_was_emptied_is_filled_from_the_segments_again(filled: Library) -> None:
    gate = engine_of(filled)
    gate.engine.erase()
    filled.index.detach()
    assert filled.held() == [False, False]
    filled.check()
    filled.hand_over()
    assert filled.held() == [True, True]
    filled.check()


@with_engines
def test_filling_goes_on_where_it_stopped(library: Library) -> None:
    gate = engine_of(library)
    for number in range(3):
        library.add(*pictures(40 * number, 40 * number + 40))
        library.index.fold()
    library.index.attach(gate.engine.name)
    gate.fills_left = 1
    with pytest.raises(EngineUnavailable):
        library.index.fill()
    assert sum(library.held()) == 1
    gate.fills_left = 1_000_000
    assert library.index.switch(serving=True)
    library.check()
    told: list[tuple[int, int]] = []
    assert library.index.fill(lambda held, rows: told.append((held, rows)))
    assert told[0] == (40, 120)
    assert told[-1] == (120, 120)
    assert library.held() == [True] * 3
    library.check()


@with_engines
def test_a_fold_does_without_an_engine_that_is_down(filled: Library) -> None:
    gate = engine_of(filled)
    gate.shut = True
    filled.index.fold()
    assert filled.held() == [True, True, False]
    with pytest.raises(EngineUnavailable):
        filled.index.snapshot().search(asked(1))
    gate.shut = False
    filled.check()
    assert filled.index.fill()
    assert filled.held() == [True] * 3
    filled.check()


@with_engines
def test_going_back_needs_no_engine(filled: Library) -> None:
    gate = engine_of(filled)
    gate.shut = True
    assert filled.index.switch(serving=False)
    filled.check()
    gate.shut = False
    assert filled.index.switch(serving=True)
    filled.check()


@with_engines
def test_searches_of_what_is_held_read_no_file_of_it(filled: Library) -> None:
    engine_of(filled)
    filled.index.fold()
    filled.store.requests.clear()
    check_search(filled.opened().snapshot(), filled.model, asked(1, num=20))
    assert not [name for _, name in filled.store.requests if name.endswith((".b1", ".i8"))]


@with_engines
def test_erasing_the_index_takes_what_the_engine_holds(filled: Library) -> None:
    gate = engine_of(filled)
    keys = list(filled.model)[:20]
    segments = [info.id for info in filled.index.snapshot().manifest.segments]
    assert gate.engine.find(keys, segments)
    filled.index.erase()
    gate.engine.create()
    assert not gate.engine.find(keys, segments)


def test_attributes_are_kept_whole(filled: Library) -> None:
    given = Attributes(custom_content="很长" * 2048, str_attr4='"\\', int_attr4=-1)
    new = entry("whole", seed=640)
    new = replace(new, picture=replace(new.picture, attributes=given, thumbnail="t", classes=(5,)))
    filled.add(new)
    filled.index.fold()
    filled.check(Query(features=new.features, num=1))
    assert filled.opened().snapshot().find(new.picture.key) == new
