"""Changes apart from the look: what they set, and that no order of arrival matters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imagesearch.catalogue import PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.index import (
    Change,
    Deletion,
    Entry,
    Index,
    OfPicture,
    OfProduct,
    Policy,
    Query,
    Version,
    encode_meaning,
)
from imagesearch.index.log import LogObject

from tests.index.makers import entry, key, look, vector
from tests.simulation.bucket import Bucket
from tests.stores import MemoryStore

PREFIX = "i/"
POLICY = Policy(parallel=1, tier=3)


def index_of(store: Bucket) -> Index:
    index = Index(store, PREFIX, model="m", policy=POLICY)
    index.create()
    return index


@pytest.fixture
def index() -> Index:
    return index_of(MemoryStore())


def put(index: Index, *entries: Entry) -> None:
    index.append(entries, after=index.snapshot())


def change(index: Index, *changes: Change) -> int:
    return index.append(changes=changes, after=index.snapshot())


def attributes_of(index: Index, of: PictureKey) -> dict[str, int | str] | None:
    found = index.snapshot().find(of)
    return found.picture.attributes.given() if found else None


@pytest.mark.parametrize("folded", [0, 1, 2], ids=["in the log", "picture folded", "both folded"])
def test_a_change_sets_what_it_names_and_nothing_else(index: Index, folded: int) -> None:
    put(index, entry(1, int_attr=1, str_attr="old"), entry(2, int_attr=1))
    if folded:
        index.fold()
    sequence = change(index, Change(key(1), {"str_attr": "new", "int_attr2": 7}))
    if folded == 2:
        index.fold()
    snapshot = index.snapshot(min_sequence=sequence)
    changed = entry(1, int_attr=1, str_attr="new", int_attr2=7)
    assert snapshot.find(key(1)) == changed
    assert snapshot.find(key(2)) == entry(2, int_attr=1)
    assert snapshot.pictures == snapshot.products == 2
    assert snapshot.matching(Filter.parse("int_attr2 = 7")) == [changed.picture]
    assert snapshot.matching(Filter.parse('str_attr = "old"')) == []
    hits = snapshot.search(Query(features=changed.features, num=9)).hits
    assert [hit.picture for hit in hits] == [changed.picture, entry(2, int_attr=1).picture]
    assert snapshot.of_product("1") == [key(1)]


def test_a_change_is_durable_through_merge_and_is_undone_by_a_rollback(index: Index) -> None:
    put(index, entry(1, int_attr=1))
    index.fold()
    generation = index.snapshot().generation
    change(index, Change(key(1), {"int_attr": 2}))
    index.fold()
    put(index, entry(3))
    index.fold()
    while index.maintain().more:
        pass
    assert attributes_of(index, key(1)) == {"int_attr": 2}
    change(index, Change(key(1), {"int_attr": 3}))
    index.rollback(generation)
    assert attributes_of(index, key(1)) == {"int_attr": 1}
    change(index, Change(key(1), {"str_attr": "later"}))
    assert attributes_of(index, key(1)) == {"int_attr": 1, "str_attr": "later"}
    assert not index.scrub().problems


def test_a_later_add_replaces_everything_a_change_has_set(index: Index) -> None:
    put(index, entry(1, seed=1, int_attr=1))
    change(index, Change(key(1), {"str_attr": "x"}))
    put(index, entry(1, seed=2, int_attr=3))
    assert index.snapshot().find(key(1)) == entry(1, seed=2, int_attr=3)


@pytest.mark.parametrize("folded", [False, True])
def test_a_change_of_a_picture_that_is_not_there_does_nothing(index: Index, folded: bool) -> None:
    put(index, entry(1), entry(2))
    index.append(deletions=[OfPicture(key(1))], after=index.snapshot())
    change(index, Change(key(1), {"int_attr": 1}), Change(key(9), {"int_attr": 1}))
    if folded:
        index.fold()
    assert [p.key for p in index.snapshot().matching(None)] == [key(2)]
    put(index, entry(1), entry(9))
    assert attributes_of(index, key(1)) == attributes_of(index, key(9)) == {}


def test_in_one_write_deletions_come_first_then_entries_then_changes(index: Index) -> None:
    put(index, entry(1, int_attr=1))
    index.append(
        [entry(1, int_attr=2), entry(2)],
        [OfProduct("1")],
        [Change(key(1), {"int_attr2": 3}), Change(key(1), {"int_attr2": 4})],
        after=index.snapshot(),
    )
    assert attributes_of(index, key(1)) == {"int_attr": 2, "int_attr2": 4}


def test_a_change_costs_three_requests_and_its_picture_is_not_read() -> None:
    store = MemoryStore()
    index = index_of(store)
    put(index, entry(1))
    index.fold()
    snapshot = index.snapshot()
    store.requests.clear()
    change(index, Change(key(1), {"int_attr": 1}))
    assert len(store.requests) <= 3
    assert snapshot.find(key(1)) == entry(1)


def test_a_picture_that_arrives_after_a_later_change_was_folded_is_changed(index: Index) -> None:
    """The add is still on its way when the change is written and folded."""
    put(index, entry(1, seed=1, int_attr=1))
    index.fold()
    late = logged(index, Version(index.snapshot().sequence + 1, 5), [entry(1, seed=2, int_attr=2)])
    change(index, Change(key(1), {"str_attr": "x"}))
    index.fold()
    index._store.put_if_absent(*late)
    assert index.snapshot().find(key(1)) == entry(1, seed=2, int_attr=2, str_attr="x")
    index.fold()
    assert index.snapshot().find(key(1)) == entry(1, seed=2, int_attr=2, str_attr="x")


def logged(
    index: Index,
    version: Version,
    entries: list[Entry],
    deletions: tuple[Deletion, ...] = (),
    changes: tuple[Change, ...] = (),
) -> tuple[str, bytes]:
    """Return the key and the bytes of a log object of any version."""
    name = index.snapshot().view.manifest.index
    written = LogObject(name, version, "", "m", deletions, tuple(entries), changes)
    return f"{PREFIX}wal/{version.name}", written.encode()


KEYS = [key(product, name) for product in "ab" for name in "12"]
MEANINGS = [encode_meaning(vector(number)) for number in range(8)]
NAMES = ("int_attr", "int_attr2", "str_attr")


@dataclass(frozen=True)
class Wrote:
    """One write of a story, at ``clock``; ``finding`` names the write whose picture was seen."""

    clock: int
    added: tuple[PictureKey, ...] = ()
    deleted: tuple[OfPicture | OfProduct, ...] = ()
    changed: tuple[tuple[PictureKey, str], ...] = ()
    finding: int | None = None


writes = st.builds(
    Wrote,
    st.integers(1, 9),
    st.lists(st.sampled_from(KEYS), max_size=2, unique=True).map(tuple),
    st.lists(st.sampled_from([*map(OfPicture, KEYS), OfProduct("a")]), max_size=1).map(tuple),
    st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(NAMES)), max_size=2).map(tuple),
    st.none() | st.integers(0, 9),
)


class Story:
    """Writes, each at its version, as log objects and as what they make of a dictionary."""

    def __init__(self, wrote: list[Wrote]) -> None:
        self.wrote = wrote

    def version(self, place: int) -> Version:
        return Version(self.wrote[place].clock, place)

    def entries(self, place: int) -> list[Entry]:
        return [entry(*k, features=look(place), int_attr=place) for k in self.wrote[place].added]

    def changes(self, place: int) -> tuple[Change, ...]:
        told = [
            Change(k, {name: f"{place}" if name == "str_attr" else 100 + place})
            for k, name in self.wrote[place].changed
        ]
        seen = self.seen(place)
        if seen is not None:
            told += [
                Change(
                    k, of=self.version(seen), classes=(seen,), meaning=encode_meaning(vector(seen))
                )
                for k in self.wrote[seen].added
            ]
        return tuple(told)

    def seen(self, place: int) -> int | None:
        """Return the write whose pictures a finding is of: it must be older."""
        finding = self.wrote[place].finding
        if finding is None or finding >= len(self.wrote):
            return None
        return finding if self.version(finding) < self.version(place) else None

    def state(self, places: list[int]) -> dict[PictureKey, Entry]:
        """Return what these writes make, one after the other in the order of their versions."""
        pictures: dict[PictureKey, tuple[Version, Entry]] = {}
        for place in sorted(places, key=self.version):
            for k in list(pictures):
                if {OfPicture(k), OfProduct(k.product_id)} & {*self.wrote[place].deleted}:
                    del pictures[k]
            for made in self.entries(place):
                pictures[made.picture.key] = self.version(place), made
            for told in self.changes(place):
                version, old = pictures.get(told.key, (None, None))
                if old is None or (told.of is not None and told.of != version):
                    continue
                picture = replace(
                    old.picture,
                    attributes=replace(old.picture.attributes, **told.attributes),
                    classes=old.picture.classes if told.classes is None else told.classes,
                )
                meaning = old.meaning if told.meaning is None else told.meaning
                pictures[told.key] = version, Entry(picture, old.features, meaning)
        return {k: made for k, (_, made) in pictures.items()}


@given(st.lists(writes, min_size=1, max_size=8), st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_the_order_of_arrival_and_of_folds_the_state_is_that_of_the_versions(
    wrote: list[Wrote], data: st.DataObject
) -> None:
    story = Story(wrote)
    index = index_of(Bucket())
    places = data.draw(st.permutations(range(len(wrote))))
    # Whoever found something out had seen the picture: that write has arrived.
    arrived: list[int] = []
    waiting = [*places]
    while waiting:
        place = next(p for p in waiting if story.seen(p) is None or story.seen(p) in arrived)
        waiting.remove(place)
        arrived.append(place)
        found = logged(
            index,
            story.version(place),
            story.entries(place),
            wrote[place].deleted,
            story.changes(place),
        )
        index._store.put_if_absent(*found)
        todo = data.draw(st.sampled_from(["nothing", "fold", "reopen", "maintain"]))
        if todo == "fold":
            index.fold()
        elif todo == "maintain":
            index.maintain()
        elif todo == "reopen":
            index = index_of(index._store)
        snapshot = index.snapshot()
        state = story.state(arrived)
        assert [p.key for p in snapshot.matching(None)] == sorted(state)
        assert {k: snapshot.find(k) for k in state} == state
        assert snapshot.pictures == len(state)
    assert not index.scrub().problems
