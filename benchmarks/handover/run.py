"""The hand-over of the benchmark: from here to the engine, back, and there again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from imagesearch.catalogue import PictureKey, Service
from imagesearch.errors import EngineUnavailable
from imagesearch.index import Index
from imagesearch.index.engine import Engine, HeldRow
from imagesearch.operations.agreement import Agreement
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.handover import Handover
from imagesearch.operations.instances import CreateInstance, create_instance
from imagesearch.settings import Settings
from imagesearch.storage import ObjectStore

from benchmarks.handover.traffic import (
    INSTANCE,
    Book,
    Faults,
    Folder,
    Known,
    Searcher,
    Writer,
    check,
    look,
)
from benchmarks.scale.world import World

__all__ = ["Outcome", "Run"]

_BATCH = 500
_PAUSE = 2.0
"""Seconds after which somebody whom the engine refused tries again."""


class Killed(BaseException):
    """What a process that is killed would not live to see."""


class Blind:
    """A vision that sees nothing: only vectors matter here."""

    model = "blind-1"


class Cutting:
    """An engine during whose filling its caller is cut off, one time in so many."""

    def __init__(self, engine: Engine, cuts: Cuts) -> None:
        self._engine, self._cuts = engine, cuts

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def fill(self, rows: Sequence[HeldRow]) -> None:
        """Hold rows, or half of them and be killed."""
        if self._cuts.now():
            self._engine.fill(rows[: len(rows) // 2])
            raise Killed
        self._engine.fill(rows)


@dataclass(slots=True)
class Cuts:
    """How often callers are cut off: ``left`` times more, one call in ``every``."""

    left: int
    every: int = 10
    made: int = 0
    _dice: random.Random = field(default_factory=lambda: random.Random(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> bool:
        """Tell whether to cut this call off."""
        with self._lock:
            if self.left and self._dice.randrange(self.every) == 0:
                self.left -= 1
                self.made += 1
                return True
            return False


@dataclass(slots=True)
class Outcome:
    """What was measured and what went wrong."""

    pictures: int
    engine: str
    load_seconds: float = 0.0
    fill_seconds: float = 0.0
    filled_rows: int = 0
    switch_seconds: float = 0.0
    back_seconds: float = 0.0
    cuts: int = 0
    refused: int = 0
    writes: dict[str, int] = field(default_factory=dict)
    searches: int = 0
    checked: int = 0
    faults: Faults = field(default_factory=Faults)
    overlaps: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def rows_per_second(self) -> float:
        """Return how many rows the engine was given in a second."""
        return self.filled_rows / self.fill_seconds if self.fill_seconds else 0.0


class Run:
    """One run on one store with one engine."""

    def __init__(
        self,
        store: Callable[[], ObjectStore],
        folder: Path,
        to: str,
        engines: Callable[[str], Engine],
        *,
        pictures: int,
        kills: int,
        say: Callable[[str], None],
    ) -> None:
        self._store, self._folder, self._to, self._say = store, folder, to, say
        self._cuts = Cuts(kills, every=max(2, pictures // 10_000))
        self._engines = lambda name: Cutting(engines(name), self._cuts)
        self._world = World(pictures)
        self._book = Book()
        self._number = 0
        self.outcome = Outcome(pictures, to)
        create_instance(
            self._environment(), CreateInstance(instance=INSTANCE, service=Service.PRODUCT)
        )

    def carry_out(self, *, writers: int, seconds: float, queries: int, sample: int) -> Outcome:
        """Load, hand over under load, go back, hand over again, check everything."""
        self._load()
        with self._traffic(writers):
            time.sleep(seconds)
            self._hand_over(queries)
            time.sleep(seconds)
            self._compare("serving", queries)
            began = time.perf_counter()
            self._handover().back()
            self.outcome.back_seconds = time.perf_counter() - began
            time.sleep(seconds)
            self._compare("back", queries)
            self._cuts.left = max(self._cuts.left, 1)
            self._persist(self._switch)
            time.sleep(seconds)
        self._compare("again", queries)
        self._check(sample)
        self._handover().back()
        self._check(sample, every=True)
        self.outcome.cuts = self._cuts.made
        self.outcome.writes = dict(self._book.writes)
        return self.outcome

    def _environment(self) -> Deployment:
        """Return a deployment of its own, as another function or command line would be."""
        self._number += 1
        cache = self._folder / f"cache{self._number}"
        settings = Settings(bucket="b", cache=cache, query_share=0.5)
        return Deployment(
            settings, self._store(), vision=Blind, compaction=lambda _: None, engines=self._engines
        )

    def _index(self) -> Index:
        deployment = self._environment()
        return deployment.index(deployment.instances.get(INSTANCE))

    def _handover(self) -> Handover:
        return Handover(self._environment(), INSTANCE)

    def _load(self) -> None:
        began = time.perf_counter()
        index = self._index()
        for number in range(self._world.chunks):
            chunk = self._world.chunk(number)
            for start in range(0, len(chunk), _BATCH):
                entries = [
                    look(
                        chunk.vectors[i],
                        PictureKey(f"p{chunk.products[i]}", str(chunk.first + i)),
                        int(chunk.categories[i]),
                        int(chunk.tags[i]),
                    )
                    for i in range(start, min(start + _BATCH, len(chunk)))
                ]
                index.append(entries, after=index.place())
                for entry in entries:
                    tag = entry.picture.attributes.int_attr or 0
                    self._book.note("loaded", entry.picture.key, Known(entry.features, tag))
                if start % (20 * _BATCH) == 0:
                    index.maintain()
        while index.maintain().more:
            pass
        self.outcome.load_seconds = time.perf_counter() - began
        self._say(f"loaded in {self.outcome.load_seconds:.0f} s")

    @contextmanager
    def _traffic(self, writers: int) -> Iterator[None]:
        vectors = self._world.queries(2000)
        writing = [
            Writer(self._index(), self._book, vectors, pause=0.05, seed=seed)
            for seed in range(writers)
        ]
        faults = self.outcome.faults
        searching = Searcher(self._environment(), self._book, faults, vectors, pause=0.05, seed=99)
        index = self._index()
        folding = Folder(lambda: self._persist(index.maintain), pause=2)
        workers = [*writing, searching, folding]
        for worker in workers:
            worker.start()
        try:
            yield
        finally:
            for worker in workers:
                worker.stop()
            self.outcome.searches += searching.searches
            self.outcome.refused += searching.refused

    def _hand_over(self, queries: int) -> None:
        began = time.perf_counter()
        self._persist(lambda: self._handover().begin(self._to))

        self._persist(lambda: self._handover().fill())
        self.outcome.fill_seconds = time.perf_counter() - began
        self.outcome.filled_rows = self._handover().standing().held
        self._compare("filled", queries)
        began = time.perf_counter()
        self._persist(self._switch)
        self.outcome.switch_seconds = time.perf_counter() - began

    def _switch(self) -> None:
        """Switch; a segment that was just merged by somebody cut off is filled first."""
        handover = self._handover()
        handover.fill()
        handover.switch()

    def _compare(self, when: str, queries: int) -> None:
        found: list[Agreement] = []
        self._persist(lambda: found.append(self._handover().compare(queries, seed=len(when))))
        agreement = found[-1]
        told = {
            "overlap_at_10": round(agreement.overlap or 0.0, 4),
            "least": agreement.least,
            "same_first": round(agreement.same_first or 0.0, 4),
            "distribution": agreement.distribution,
            "live": agreement.live,
            "stored": agreement.stored,
        }
        self.outcome.overlaps[when] = told
        self._say(f"{time.strftime('%H:%M:%S')} {when}: {told}")

    def _persist(self, work: Callable[[], object]) -> None:
        """Do some work, and begin it anew whenever it was cut off."""
        while True:
            try:
                work()
            except Killed:
                continue
            except EngineUnavailable:
                self.outcome.refused += 1
                time.sleep(_PAUSE)
                continue
            return

    def _check(self, sample: int, *, every: bool = False) -> None:
        """Search for some of what was written to, or ``every`` one of it, and some of the rest."""
        index = self._index()
        dice = random.Random(7)
        written = sorted(self._book.touched)
        if not every:
            written = dice.sample(written, min(sample, len(written)))
        rest = dice.sample(self._book.keys, min(sample, len(self._book.keys)))
        for key in {*written, *rest}:
            self._persist(partial(self._check_one, index, key))
        self._say(f"checked {self.outcome.checked:,} pictures: {self.outcome.faults}")

    def _check_one(self, index: Index, key: PictureKey) -> None:
        check(index.snapshot(), key, self._book.known[key], self.outcome.faults)
        self.outcome.checked += 1
