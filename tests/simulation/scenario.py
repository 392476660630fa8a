"""One run: writers, readers and folders of one index in bad weather, and what they saw."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from itertools import count, product
from unittest.mock import patch

import numpy as np
from imagesearch.catalogue import OTHER, Attributes, Picture, PictureKey, Region
from imagesearch.errors import (
    CorruptObject,
    LostRace,
    NotYetVisible,
    StorageUnavailable,
)
from imagesearch.index import (
    Deletion,
    Entry,
    Features,
    Index,
    OfPicture,
    OfProduct,
    Policy,
    Query,
    Snapshot,
    encode,
)
from imagesearch.index.collect import _settled
from imagesearch.index.features import BIT_BYTES, bits_of
from imagesearch.index.keeper import Keeper
from imagesearch.index.manifest import Manifest
from numpy.typing import NDArray

from tests.simulation.bucket import Bucket
from tests.simulation.history import History, Read, Write
from tests.simulation.network import CALM, Connection, Weather
from tests.simulation.world import SECOND, Crash, Process, World

PREFIX = "index/simulated/"
MODEL = "simulated"
KEYS = tuple(PictureKey(*key) for key in product("ab", "12"))
EXPECTED = (StorageUnavailable, LostRace, NotYetVisible)

POLICY = Policy(
    fold_objects=2,
    write_deadline=10,
    settle_after=15,
    remember=30,
    listing_target=4,
    grace=90,
    retention=150,
    keep_all=100,
    sweep_every=20,
    tier=2,
    candidates=16,
    wait=1,
    parallel=1,
)
"""The product's waiting times at about a thousandth of their length, in the same order."""
OPERATION_LIMIT = 60 * SECOND
"""When a process is ended by its platform; shorter than the grace."""
LATEST = 20 * SECOND
"""How long a request may be under way after its sender gave up."""


@dataclass(frozen=True)
class Scenario:
    """The dice of one seed: how many of whom, how busy they are, and how bad the weather is.

    ``idle`` is the longest pause between operations, ``skew`` the largest error of a clock, both
    in microseconds; ``crash`` the chance of ending at each step. Without ``log_grace`` log
    objects are deleted as soon as they are settled.
    """

    seed: int
    policy: Policy = POLICY
    weather: Weather = CALM
    upkeep_weather: Weather | None = None
    writers: int = 3
    readers: int = 2
    folders: int = 2
    operations: int = 4
    upkeep: int = 4
    crash: float = 0.0
    skew: int = 0
    idle: int = 20 * SECOND
    log_grace: bool = True

    @classmethod
    def of(cls, seed: int) -> Scenario:
        """Throw the dice; each trouble is absent in some seeds, so that none hides another."""
        dice = random.Random(f"scenario {seed}")
        weather = Weather(
            lost=dice.choice([0, 0, 0.02, 0.08]),
            answer_lost=dice.choice([0, 0, 0.02, 0.08]),
            late=dice.choice([0, 0, 0.05, 0.1]),
            stall=dice.choice([0, 0, 0.02, 0.08]),
            retries=dice.choice([0, 1, 2, 2]),
            stalled=dice.choice([SECOND, 8 * SECOND, 50 * SECOND]),
            latest=LATEST,
            page=dice.choice([2, 5, 1000]),
        )
        idle, upkeep = dice.choice([(SECOND // 4, 20), (5 * SECOND, 15), (60 * SECOND, 8)])
        return cls(
            seed,
            weather=weather,
            writers=dice.randint(1, 4),
            readers=dice.randint(1, 2),
            folders=dice.randint(0, 3),
            operations=dice.randint(2, 6),
            upkeep=upkeep,
            crash=dice.choice([0, 0, 0.002, 0.02]),
            skew=dice.choice([0, SECOND // 10, 60 * SECOND, 86_400 * SECOND]),
            idle=idle,
        )


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


@dataclass
class Run:
    """A scenario while it runs."""

    scenario: Scenario
    world: World = field(init=False)
    bucket: Bucket = field(init=False)
    history: History = field(default_factory=History)
    versions: Iterator[int] = field(default_factory=lambda: count(1))
    names: Iterator[int] = field(default_factory=lambda: count(1))
    busy: int = 0

    def __post_init__(self) -> None:
        self.world = World(self.scenario.seed)
        self.bucket = Bucket(lambda: self.world.now)
        self.busy = self.scenario.writers + self.scenario.readers

    def go(self) -> History:
        """Run the scenario, then look once more in calm weather, fold, and look again."""
        self._alone("creator", lambda actor: actor.index.create())
        for kind, number in (
            (Writer, self.scenario.writers),
            (Reader, self.scenario.readers),
            (Folder, self.scenario.folders),
        ):
            for i in range(number):
                weather = self.scenario.weather
                if kind is Folder:
                    weather = self.scenario.upkeep_weather or weather
                actor = kind(self, f"{kind.__name__.lower()} {i}", weather)
                self.world.start(actor.name, actor.live, after=self.world.random.randrange(SECOND))
        self.world.run()
        self._aftermath()
        return self.history

    def _aftermath(self) -> None:
        self._alone("last reader", lambda actor: actor.read(thorough=True))
        for number in range(3):
            self.world.now += 200 * SECOND
            self._alone(f"last folder {number}", lambda actor: actor.tidy())
            self._alone(f"last reader {number}", lambda actor: actor.read(thorough=True))

    def _alone(self, name: str, work: Callable[[Actor], object]) -> None:
        actor = Actor(self, name, CALM)

        def body(process: Process) -> None:
            actor.begin(process, crash=0.0)
            try:
                work(actor)
            except CorruptObject as error:
                self.history.violate("damaged", f"{name}: {error.detail}")

        self.world.start(name, body)
        self.world.run()


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


@contextmanager
def simulated(seed: int) -> Iterator[None]:
    """Let the product's random names follow from the seed, and its processes share no lock."""
    dice = random.Random(f"names {seed}")
    with ExitStack() as patches:
        patches.enter_context(
            patch("secrets.token_hex", lambda size=32: dice.randbytes(size).hex())
        )
        patches.enter_context(patch("imagesearch.index.log.bits_of", _known_bits))
        for lazy in _lazy_properties() if sys.version_info < (3, 12) else ():
            patches.enter_context(patch.object(lazy, "lock", nullcontext()))
        yield


def _known_bits(rows: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Return the sign bits of looks, each calculated once in all seeds."""
    return np.array([_bits(row.tobytes()) for row in rows]).reshape(-1, BIT_BYTES)


@cache
def _bits(row: bytes) -> NDArray[np.uint8]:
    return bits_of(np.frombuffer(row, np.int8)[np.newaxis])[0]


@cache
def _lazy_properties() -> list[object]:
    """Find every cached property: before Python 3.12, all objects of a class share its lock."""
    modules = [module for name, module in sys.modules.items() if "imagesearch.index" in name]
    classes = {
        thing for module in modules for thing in vars(module).values() if type(thing) is type
    }
    return [
        thing for kind in classes for thing in vars(kind).values() if hasattr(thing, "attrname")
    ]


def _settled_at_once(keeper: Keeper, manifest: Manifest, _now: int) -> Iterator[str]:
    """Find log objects to delete, however young."""
    return _settled(keeper, manifest, sys.maxsize)


def run(scenario: Scenario) -> History:
    """Run a scenario and return what happened."""
    grace = nullcontext()
    if not scenario.log_grace:
        grace = patch("imagesearch.index.collect._settled", _settled_at_once)
    with simulated(scenario.seed), grace:
        return Run(scenario).go()
