"""An index that an engine elsewhere serves, and work there that ends at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from imagesearch.catalogue import OTHER, PictureKey
from imagesearch.index import (
    Entry,
    Index,
    Policy,
    Query,
    likeness,
)

from tests.engines.exact import ExactEngine
from tests.index.makers import PREFIX, entry, look
from tests.stores import MemoryStore

DAY = 86_400_000_000
POLICY = Policy(parallel=1, fold_objects=1, tier=4)


class Died(BaseException):
    """The process is gone."""


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


def files_read(place: Place) -> list[str]:
    return [key for verb, key in place.store.requests if "get" in verb and "/seg/" in f"/{key}"]


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


def crashes(place: Place, work: Callable[[Index], object]) -> int:
    """Do the work, ending it before every request in turn; return how often it was ended.

    What is found is checked each time, and at the end.
    """
    died = 0
    for _ in steps(place, work):
        place.check()
        died += 1
    place.check()
    return died


def old(place: Place, days: int = 9) -> None:
    """Let days pass, with the upkeep of each."""
    for _ in range(days):
        place.time += DAY
        place.open().maintain()
