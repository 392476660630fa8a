"""An index beside a dictionary of what it must hold, with or without an engine that may be shut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from imagesearch.catalogue import OTHER, PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import EngineUnavailable
from imagesearch.index import (
    Change,
    Deletion,
    Entry,
    Index,
    OfPicture,
    OfProduct,
    Policy,
    Query,
)
from imagesearch.index.engine import Engine

from tests.index.expected import check_search
from tests.index.makers import entry, look
from tests.stores import MemoryStore

POLICY = Policy(parallel=4, tier=3, grace=0, sweep_every=0, settle_after=0, remember=0)


class Gate:
    """An engine that can be shut: by hand, or after so many calls of ``fill``."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.shut = False
        self.fills_left = 1_000_000

    def __getattr__(self, name: str) -> object:
        if name not in {"name", "deepest", "named_at_once"}:
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
