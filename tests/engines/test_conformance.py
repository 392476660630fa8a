"""One suite for whatever ranks: the index by itself, and with each engine behind its seam.

Every answer is held against a search through a dictionary: which pictures, in which order, with
which relevance and Hamming distance, and how many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from imagesearch.catalogue import OTHER, Attributes, Picture, PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import EngineUnavailable
from imagesearch.index import (
    Change,
    Deletion,
    Entry,
    Hit,
    Index,
    OfPicture,
    OfProduct,
    Policy,
    Query,
    Snapshot,
    likeness,
)
from imagesearch.index.engine import Engine

from tests.engines.conftest import KINDS, opener_of, unused_name
from tests.engines.exact import ExactEngine
from tests.index.makers import entry, key, look
from tests.index.test_state_machine import check_total
from tests.stores import MemoryStore

POLICY = Policy(parallel=4, tier=3, grace=0, sweep_every=0, settle_after=0, remember=0)
HERE = "here"


class Gate:
    """An engine that can be shut: by hand, or after so many calls of ``fill``."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.shut = False
        self.fills_left = 1_000_000

    def __getattr__(self, name: str) -> object:
        if name not in {"name", "deepest"}:
            self.fills_left -= name == "fill"
            if self.shut or self.fills_left < 0:
                raise EngineUnavailable("shut by the test")
        return getattr(self.engine, name)


class Library:
    """An index, what it must hold, and the engine if there is one."""

    def __init__(self, engine: Engine | None) -> None:
        self.store = MemoryStore(lambda: self.time)
        self.time = 1_700_000_000_000_000
        self.gate = Gate(engine) if engine else None
        self.model: dict[PictureKey, Entry] = {}
        self.index = self.opened()
        self.index.create()

    def opened(self) -> Index:
        """Return the index as another process would open it."""
        gate: Callable[[str], Engine] = lambda _name: self.gate  # type: ignore[assignment, return-value]  # noqa: E731
        return Index(
            self.store, "i/", model="m", policy=POLICY, engines=gate if self.gate else None
        )

    def hand_over(self) -> None:
        if self.gate:
            self.index.attach(self.gate.engine.name)
            assert self.index.fill()
            assert self.index.switch(serving=True)

    def add(self, *added: Entry) -> None:
        self.write(entries=added)
        self.model |= {one.picture.key: one for one in added}

    def delete(self, *deleted: Deletion) -> None:
        self.write(deletions=deleted)
        for one in deleted:
            for known in list(self.model):
                if one in (OfPicture(known), OfProduct(known.product_id)):
                    del self.model[known]

    def change(self, changed: PictureKey, **attributes: int | str) -> None:
        self.write(changes=[Change(changed, attributes)])
        old = self.model[changed]
        given = replace(old.picture.attributes, **attributes)  # type: ignore[arg-type]
        self.model[changed] = replace(old, picture=replace(old.picture, attributes=given))

    def write(
        self,
        entries: Sequence[Entry] = (),
        deletions: Sequence[Deletion] = (),
        changes: Sequence[Change] = (),
    ) -> None:
        self.time += 1_000_000
        self.index.append(entries, deletions, changes, after=self.index.snapshot())

    def held(self) -> list[bool]:
        return [bool(info.held) for info in self.index.snapshot().manifest.segments]

    def served(self) -> bool:
        outpost = self.index.snapshot().manifest.outpost
        return bool(outpost and outpost.serving)

    def check(self, *queries: Query) -> None:
        """Search here and as a process that knows nothing yet."""
        for index in (self.index, self.opened()):
            snapshot = index.snapshot()
            for query in queries or QUERIES:
                check_search(snapshot, self.model, query)


def check_search(snapshot: Snapshot, model: dict[PictureKey, Entry], query: Query) -> None:
    """Compare a search with one through all pictures, one by one."""
    hits = [
        Hit(entry.picture, likeness(query.features, entry.features))
        for entry in model.values()
        if query.category_id in (None, entry.picture.category_id)
        and (query.filter is None or query.filter.matches(entry.picture.attributes))
    ]
    hits = [hit for hit in hits if hit.likeness.score >= query.score_threshold]
    hits.sort(key=lambda hit: (-hit.likeness.relevance, hit.picture.key))
    if query.distinct_product:
        best: dict[object, Hit] = {}
        for hit in hits:
            best.setdefault(group(hit.picture, query.distinct_by), hit)
        hits = list(best.values())
    answer = snapshot.search(query)
    assert list(answer.hits) == hits[query.start : query.end]
    check_total(snapshot, query, answer, len(hits))


def group(picture: Picture, by: str) -> object:
    """Return what pictures have in common of which a distinct search shows one."""
    if by == "product_id":
        return picture.key.product_id
    value = getattr(picture.attributes, by)
    return picture.key if value is None else value


def asked(number: int, text: str = "", **options: object) -> Query:
    filter = Filter.parse(text) if text else None  # noqa: A001
    return Query(features=look(number, 0.3), filter=filter, **options)  # type: ignore[arg-type]


QUERIES = (
    asked(1),
    asked(2, num=3, start=2),
    asked(3, num=100),
    asked(3, num=30, start=470),
    asked(4, category_id=3),
    asked(4, category_id=7),
    asked(5, "int_attr < 5", num=20),
    asked(5, "int_attr != 3 AND str_attr NOT IN (\"x\", '')".replace("''", '""')),
    asked(6, 'str_attr = "红" OR int_attr2 >= 2147483647', num=4),
    asked(6, 'str_attr = "nowhere"'),
    asked(7, score_threshold=0.2),
    asked(7, score_threshold=0.99),
    asked(8, distinct_product=True, num=4),
    asked(8, distinct_product=True, num=4, start=4),
    asked(9, "int_attr >= 2", category_id=OTHER, score_threshold=0.01, distinct_product=True),
    asked(9, distinct_product=True, distinct_by="str_attr", num=5),
)


def pictures(first: int, end: int) -> list[Entry]:
    """Return pictures of products of three, in a few categories, with all sorts of attributes."""
    words = [None, "x", "红", "", "y" * 128]
    return [
        entry(
            f"p{n // 3}",
            f"n{n}",
            seed=n,
            category=[3, OTHER, 7, 3][n % 4],
            int_attr=n % 9 if n % 5 else None,
            int_attr2=[2**31 - 1, -(2**31), None][n % 3],
            str_attr=words[n % 5],
        )
        for n in range(first, end)
    ]


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
