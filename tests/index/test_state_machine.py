"""Any sequence of operations leaves the index as it leaves a dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from imagesearch.catalogue import OTHER, Attributes, Picture, PictureKey, Region
from imagesearch.catalogue.filter import Filter
from imagesearch.index import (
    Change,
    Entry,
    Index,
    OfPicture,
    OfProduct,
    Policy,
    Query,
    Snapshot,
    TextQuery,
    encode_meaning,
)

from tests.index.expected import check_search
from tests.index.makers import look, vector
from tests.simulation.bucket import Bucket

PREFIX = "index/machine/"
POLICY = Policy(
    parallel=1,
    candidates=16,
    tier=2,
    fold_objects=4,
    dead_share=0.3,
    settle_after=60,
    remember=600,
    grace=3600,
    retention=7200,
    keep_all=3600,
    sweep_every=60,
)

MEANINGS = [encode_meaning(vector(number)) for number in range(5)]
keys = st.builds(PictureKey, st.sampled_from("abc"), st.sampled_from(["1", "2", "红"]))
categories = st.sampled_from([0, 3, OTHER])
looks = st.builds(look, st.integers(0, 4), st.sampled_from([0.0, 0.1, 0.5]))
attributes = st.builds(
    Attributes,
    int_attr=st.none() | st.integers(-2, 2),
    int_attr4=st.none() | st.sampled_from([-(2**31), 2**31 - 1]),
    str_attr=st.none() | st.sampled_from(["", "x", "y", "红"]),
    custom_content=st.none() | st.just("free text"),
)
regions = st.builds(lambda x, y: Region(x, x + 5, y, y + 70_000), st.integers(0, 300), st.just(0))
entries = st.builds(Entry, st.builds(Picture, keys, categories, regions, attributes), looks)
filters = st.sampled_from(
    [
        None,
        "int_attr = 1",
        "int_attr >= 0 AND int_attr < 2",
        'str_attr != "x"',
        'str_attr in ("x", "红") OR int_attr4 > 0',
        "int_attr4 not in (2147483647)",
        "int_attr = 99",
    ]
).map(lambda text: Filter.parse(text) if text else None)
queries = st.builds(
    Query,
    features=looks,
    category_id=st.none() | categories,
    filter=filters,
    num=st.integers(1, 12),
    start=st.integers(0, 12),
    score_threshold=st.sampled_from([0.0, 0.5, 1.0]),
    distinct_product=st.booleans(),
)


class Machine(RuleBasedStateMachine):
    """The model is a dictionary and a search through all of it."""

    @initialize()
    def create(self) -> None:
        self.time = 1_700_000_000_000_000
        self.bucket = Bucket(lambda: self.time)
        self.model: dict[PictureKey, Entry] = {}
        self.sequence = 0
        self.old: tuple[Snapshot, dict[PictureKey, Entry]] | None = None
        self.generations: dict[int, dict[PictureKey, Entry]] = {}
        self.cache = TemporaryDirectory()
        self.index = self.opened()
        self.index.create()

    def written(self, sequence: int) -> None:
        assert sequence > self.sequence
        self.sequence = sequence

    def opened(self) -> Index:
        return Index(self.bucket, PREFIX, model="m", policy=POLICY, cache=Path(self.cache.name))

    def teardown(self) -> None:
        if hasattr(self, "cache"):
            self.cache.cleanup()

    def write(
        self, added: Sequence[Entry] = (), deleted: Sequence[OfPicture | OfProduct] = ()
    ) -> None:
        self.written(self.index.append(added, deleted, after=self.index.snapshot()))
        for deletion in deleted:
            for key in list(self.model):
                if deletion in (OfPicture(key), OfProduct(key.product_id)):
                    del self.model[key]
        self.model |= {entry.picture.key: entry for entry in added}

    @rule(added=st.lists(entries, min_size=1, max_size=5))
    def add(self, added: list[Entry]) -> None:
        self.write(added)

    @rule(changed=st.lists(st.tuples(keys, attributes), min_size=1, max_size=3))
    def change(self, changed: list[tuple[PictureKey, Attributes]]) -> None:
        changes = [Change(key, given.given()) for key, given in changed]
        self.written(self.index.append(changes=changes, after=self.index.snapshot()))
        for change in changes:
            if old := self.model.get(change.key):
                given = replace(old.picture.attributes, **change.attributes)
                picture = replace(old.picture, attributes=given)
                self.model[change.key] = replace(old, picture=picture)

    @rule(limit=st.integers(1, 4), after=st.none() | keys, number=st.integers(0, 4))
    def find_out(self, limit: int, after: PictureKey | None, number: int) -> None:
        snapshot = self.index.snapshot()
        lacking = snapshot.without_meaning(limit=limit, after=after)
        known = [key for key, entry in sorted(self.model.items()) if entry.meaning is None]
        expected = [key for key in known if after is None or key > after][:limit]
        assert [lack.picture.key for lack in lacking] == expected
        changes = [
            Change(lack.picture.key, of=lack.version, meaning=MEANINGS[number], thumbnail="t")
            for lack in lacking
        ]
        self.written(self.index.append(changes=changes, after=snapshot))
        for key in expected:
            old = self.model[key]
            picture = replace(old.picture, thumbnail="t")
            self.model[key] = replace(old, picture=picture, meaning=MEANINGS[number])

    @rule(number=st.integers(0, 4), filter=filters, distinct=st.booleans())
    def search_by_meaning(self, number: int, filter: Filter | None, distinct: bool) -> None:
        passing = [
            entry
            for entry in self.model.values()
            if filter is None or filter.matches(entry.picture.attributes)
        ]
        known = {entry.picture.key for entry in passing if entry.meaning is not None}
        query = TextQuery(
            meaning=MEANINGS[number], filter=filter, num=50, distinct_product=distinct
        )
        answer = self.index.snapshot().search_meaning(query)
        found = [hit.picture.key for hit in answer.hits]
        products = {key.product_id for key in known}
        assert answer.total == len(found) == (len(products) if distinct else len(known))
        assert {key.product_id for key in found} == products
        assert {*found} <= known
        assert answer.lacking == len(passing) - len(known)

    @rule(key=keys)
    def delete_picture(self, key: PictureKey) -> None:
        self.write(deleted=[OfPicture(key)])

    @rule(key=keys)
    def delete_product(self, key: PictureKey) -> None:
        self.write(deleted=[OfProduct(key.product_id)])

    @rule(added=st.lists(entries, max_size=2), key=keys)
    def delete_and_add_at_once(self, added: list[Entry], key: PictureKey) -> None:
        self.write(added, [OfProduct(key.product_id), OfPicture(key)])

    @rule(filter=filters)
    def delete_by_filter(self, filter: Filter | None) -> None:
        found = self.index.snapshot().matching(filter, limit=100)
        self.write(deleted=[OfPicture(picture.key) for picture in found])

    @rule()
    def fold(self) -> None:
        self.index.fold()
        self.remember()

    @rule(seconds=st.sampled_from([0, 61, 601, 3601, 7201]))
    def maintain(self, seconds: int) -> None:
        self.time += seconds * 1_000_000
        self.old = None  # what it refers to may be collected
        self.index.maintain()
        self.remember()

    def remember(self) -> None:
        snapshot = self.index.snapshot()
        if not snapshot.log_length:
            self.generations[snapshot.generation] = dict(self.model)

    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        known = [g.number for g in self.index.generations() if g.number in self.generations]
        if known:
            to = data.draw(st.sampled_from(known))
            self.index.rollback(to)
            self.model = dict(self.generations[to])
            self.remember()

    @rule()
    def scrub(self) -> None:
        assert not self.index.scrub().problems

    @rule()
    def reopen(self) -> None:
        self.index = self.opened()

    @rule()
    def keep_a_snapshot(self) -> None:
        self.old = self.index.snapshot(), dict(self.model)

    @rule(query=queries)
    def search(self, query: Query) -> None:
        check_search(self.index.snapshot(), self.model, query)

    @rule(query=queries)
    def search_an_old_snapshot(self, query: Query) -> None:
        if self.old:
            check_search(*self.old, query)

    @rule(filter=filters, after=st.none() | keys, limit=st.integers(1, 10))
    def list_pictures(self, filter: Filter | None, after: PictureKey | None, limit: int) -> None:
        expected = [
            entry.picture
            for key, entry in sorted(self.model.items(), key=lambda item: item[0])
            if (after is None or key > after)
            and (filter is None or filter.matches(entry.picture.attributes))
        ]
        assert self.index.snapshot().matching(filter, after=after, limit=limit) == expected[:limit]

    @rule(key=keys)
    def find(self, key: PictureKey) -> None:
        snapshot = self.index.snapshot()
        assert snapshot.find(key) == self.model.get(key)
        same = sorted(k for k in self.model if k.product_id == key.product_id)
        assert snapshot.of_product(key.product_id) == same

    @invariant()
    def counts_are_right(self) -> None:
        snapshot = self.index.snapshot(min_sequence=self.sequence)
        assert snapshot.sequence == self.sequence
        assert snapshot.pictures == len(self.model)
        assert snapshot.products == len({key.product_id for key in self.model})


Machine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestMachine = Machine.TestCase
