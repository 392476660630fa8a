"""Those who write, read and keep an index in shape, each a process with an index of its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from imagesearch.catalogue import OTHER, Attributes, Picture, PictureKey, Region
from imagesearch.errors import CorruptObject, LostRace, NotYetVisible, StorageUnavailable
from imagesearch.index import (
    Deletion,
    Entry,
    Features,
    Index,
    OfPicture,
    OfProduct,
    Query,
    Snapshot,
    encode,
)

from tests.simulation.history import Read, Write
from tests.simulation.network import Connection, Weather
from tests.simulation.scenario import KEYS, MODEL, OPERATION_LIMIT, PREFIX
from tests.simulation.world import SECOND, Crash, Process

if TYPE_CHECKING:
    from tests.simulation.run import Run

EXPECTED = (StorageUnavailable, LostRace, NotYetVisible)


class SkewedClock:
    """The clock of one process: wrong by a fixed amount."""

    def __init__(self, process: Process, skew: int) -> None:
        self._process = process
        self._skew = skew

    def now(self) -> int:
        return self._process.world.now + self._skew

    def monotonic(self) -> float:
        return self._process.world.now / SECOND

    def sleep(self, seconds: float) -> None:
        self._process.pause(int(seconds * SECOND))


@cache
def look(number: int) -> Features:
    """Return one of eight looks."""
    return encode(np.random.default_rng(number).standard_normal(512).astype(np.float32))


class Actor:
    """A process with an index of its own, which it keeps until it crashes."""

    def __init__(self, run: Run, name: str, weather: Weather) -> None:
        self.run = run
        self.name = name
        self.weather = weather
        self.index: Index
        self.process: Process

    def begin(self, process: Process, *, crash: float) -> None:
        """Start as a new process does: with nothing cached and a clock of its own."""
        self.process = process
        process.crash_chance = crash
        process.deadline = None
        skew = self.run.scenario.skew
        self.index = Index(
            Connection(self.run.bucket, process, self.weather),
            PREFIX,
            model=MODEL,
            clock=SkewedClock(process, self.run.world.random.randint(-skew, skew)),
            policy=self.run.scenario.policy,
        )

    def live(self, process: Process) -> None:
        """Do every operation; after a crash go on as a new process."""
        scenario = self.run.scenario
        self.begin(process, crash=scenario.crash)
        for _ in self.turns():
            try:
                process.deadline = None
                process.pause(self.run.world.random.randrange(scenario.idle))
                process.deadline = self.run.world.now + OPERATION_LIMIT
                self.operate()
            except EXPECTED:
                continue
            except Crash:
                self.begin(process, crash=scenario.crash)
            except CorruptObject as error:
                self.run.history.violate("damaged", f"{self.name}: {error.detail}")

    def turns(self) -> Iterator[int]:
        """Yield once for each operation that this kind of process does."""
        yield from range(self.run.scenario.operations)
        self.run.busy -= 1

    def operate(self) -> None:
        """Do one operation of this kind of process."""
        raise NotImplementedError

    def read(self, *, thorough: bool = False) -> None:
        """Take a snapshot and note what it shows."""
        begin = self.run.world.tick()
        snapshot = self.index.snapshot()
        end = self.run.world.tick()
        pictures = snapshot.matching(None, limit=1000)
        seen = {picture.key: picture.attributes.int_attr or 0 for picture in pictures}
        state = sha256(snapshot.view.manifest.encode()).hexdigest()
        self.run.history.reads.append(
            Read(self.name, begin, end, seen, snapshot.sequence, snapshot.generation, state)
        )
        listed = [picture.key for picture in pictures]
        if listed != sorted(set(listed)):
            self._violate("duplicate", f"listing {listed}")
        if thorough or self.run.world.random.random() < 0.3:
            self._compare(snapshot, seen)

    def _compare(self, snapshot: Snapshot, seen: dict[PictureKey, int]) -> None:
        """Check that the other ways of looking at a snapshot show the same."""
        answer = snapshot.search(Query(features=look(0), num=100))
        hits = [(hit.picture.key, hit.picture.attributes.int_attr) for hit in answer.hits]
        if sorted(hits) != sorted(seen.items()):
            self._violate("duplicate", f"search {hits} but listing {seen}")
        counts = answer.total, snapshot.pictures, snapshot.products
        if counts != (len(seen), len(seen), len({key.product_id for key in seen})):
            self._violate("duplicate", f"counts {counts} but listing {seen}")
        for key in KEYS:
            found = snapshot.find(key)
            if (found and found.picture.attributes.int_attr) != seen.get(key):
                self._violate("duplicate", f"{key} is {found} but listing {seen}")
        for name in {key.product_id for key in KEYS}:
            if snapshot.of_product(name) != [key for key in sorted(seen) if key[0] == name]:
                self._violate("duplicate", f"{snapshot.of_product(name)} but listing {seen}")

    def _violate(self, kind: str, text: str) -> None:
        self.run.history.violate(kind, f"{self.name}: {text}")

    def tidy(self) -> None:
        """Fold, settle, merge and collect."""
        self.index.maintain()


class Writer(Actor):
    """Adds, replaces and deletes; repeats what failed under the same operation id, or gives up."""

    def operate(self) -> None:
        dice = self.run.world.random
        write, entries, deletions = self._draw()
        self.run.history.writes.append(write)
        operation = f"operation {next(self.run.names)}" if dice.random() < 0.5 else None
        for write.attempts in range(1, 1 + (dice.choice([1, 2, 3]) if operation else 1)):
            try:
                snapshot = self.index.snapshot()
                self._dawdle()
                write.sequence = self.index.append(
                    entries, deletions, after=snapshot, operation_id=operation
                )
                write.end = self.run.world.tick()
                break
            except EXPECTED:
                self.process.deadline = self.run.world.now + OPERATION_LIMIT
        if dice.random() < 0.5:
            self.read()

    def _dawdle(self) -> None:
        """Take as long as decoding and embedding a picture take."""
        self.process.pause(self.run.world.random.randrange(2 * SECOND))

    def _draw(self) -> tuple[Write, list[Entry], list[Deletion]]:
        dice = self.run.world.random
        kind = dice.choice(["add", "add", "add", "batch", "delete", "delete", "product", "mixed"])
        chosen = dice.sample(KEYS, 2 if kind in ("batch", "mixed") else 1)
        changes: dict[PictureKey, int | None] = {}
        deletions: list[Deletion] = []
        if kind == "product":
            deletions.append(OfProduct(chosen[0].product_id))
            changes |= {key: None for key in KEYS if key.product_id == chosen[0].product_id}
        if kind in ("delete", "mixed"):
            deletions.append(OfPicture(chosen[0]))
            changes[chosen[0]] = None
        added = {"add": chosen, "batch": chosen, "mixed": chosen[1:]}.get(kind, [])
        entries = [self._entry(key) for key in added]
        changes |= {entry.picture.key: entry.picture.attributes.int_attr for entry in entries}
        return Write(f"{self.name} {kind}", changes, self.run.world.tick()), entries, deletions

    def _entry(self, key: PictureKey) -> Entry:
        version = next(self.run.versions)
        attributes = Attributes(int_attr=version)
        return Entry(Picture(key, OTHER, Region(0, 1, 0, 1), attributes), look(version % 8))


class Reader(Actor):
    """Looks."""

    def operate(self) -> None:
        self.read()


class Folder(Actor):
    """Folds, and now and then does all other upkeep."""

    def turns(self) -> Iterator[int]:
        for turn in range(self.run.scenario.upkeep):
            if self.run.busy:
                yield turn

    def operate(self) -> None:
        if self.run.world.random.random() < 0.3:
            self.index.fold()
        else:
            self.tidy()
