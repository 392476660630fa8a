"""Those who write, read and keep an index in shape, each a process with an index of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from imagesearch.catalogue import (
    OTHER,
    Attributes,
    Instance,
    InstanceRegister,
    Picture,
    PictureKey,
    Region,
    Service,
)
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import (
    CorruptObject,
    LostRace,
    NotYetVisible,
    StorageUnavailable,
    UnknownInstance,
)
from imagesearch.index import (
    Change,
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
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.instances import (
    CreateInstance,
    create_instance,
)
from imagesearch.settings import Settings

from tests.simulation.history import Read, Write
from tests.simulation.network import CALM, Connection, EngineLine, Weather
from tests.simulation.scenario import KEYS, MODEL, NAME, OPERATION_LIMIT
from tests.simulation.world import SECOND, Crash, Process

if TYPE_CHECKING:
    from tests.simulation.run import Run

EXPECTED = (StorageUnavailable, LostRace, NotYetVisible, UnknownInstance)


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


def setting_of(picture: Picture) -> int | None:
    """Return what a change has set."""
    return picture.attributes.int_attr2


def state_of(pictures: list[Picture]) -> tuple[dict[PictureKey, int], dict[PictureKey, int]]:
    """Return versions and settings of pictures."""
    seen = {picture.key: picture.attributes.int_attr or 0 for picture in pictures}
    settings = {p.key: value for p in pictures if (value := setting_of(p)) is not None}
    return seen, settings


class Opened(Deployment):
    """What a simulated process keeps open: as the product does, with another clock and policy."""

    def __init__(self, store: Connection, make: Callable[[str], Index]) -> None:
        settings = Settings(bucket="simulated", cache=Path())
        super().__init__(settings, store, vision=lambda: SimpleNamespace(model=MODEL))
        self.instances = Register(store)
        self._make = make

    def index(self, instance: Instance) -> Index:
        if instance.prefix not in self._indexes:
            self._indexes[instance.prefix] = self._make(instance.prefix)
        return self._indexes[instance.prefix]


class Register(InstanceRegister):
    """Notes which instance is erased."""

    erased = ""

    def forget(self, instance: Instance) -> None:
        super().forget(instance)
        self.erased = instance.prefix


class Actor:
    """A process with an index of its own, which it keeps until it crashes."""

    def __init__(self, run: Run, name: str, weather: Weather) -> None:
        self.run = run
        self.name = name
        self.weather = weather
        self.deployment: Opened
        self.process: Process

    def begin(self, process: Process, *, crash: float) -> None:
        """Start as a new process does: with nothing cached and a clock of its own."""
        self.process = process
        process.crash_chance = crash
        process.deadline = None
        skew = self.run.scenario.skew
        self.clock = SkewedClock(process, self.run.world.random.randint(-skew, skew))
        self.deployment = self._opened(self.weather)

    def _opened(self, weather: Weather) -> Opened:
        store = Connection(self.run.bucket, self.process, weather)
        policy = self.run.scenario.policy

        def engine(name: str) -> EngineLine:
            return EngineLine(self.run.engine(name), self.process, weather)

        def index(prefix: str) -> Index:
            return Index(
                store, prefix, model=MODEL, clock=self.clock, policy=policy, engines=engine
            )

        return Opened(store, index)

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
                if not self._is_of_erased(error.detail):
                    self.run.history.violate("damaged", f"{self.name}: {error.detail}")

    def _is_of_erased(self, detail: str) -> bool:
        """Tell whether an error is about an object of an index that was erased meanwhile."""
        prefix = "/".join(detail.split("/")[:3])
        return not self.run.bucket.keys_after(f"{prefix}/MANIFEST", "", 1)

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
        try:
            found = self.deployment.open(NAME)
        except UnknownInstance:
            end = self.run.world.tick()
            self.run.history.reads.append(Read(self.name, begin, end, {}, 0, home=None))
            return
        snapshot, end = found.snapshot, self.run.world.tick()
        pictures = snapshot.matching(None, limit=1000)
        seen, settings = state_of(pictures)
        state = sha256(snapshot.view.manifest.encode()).hexdigest()
        self.run.history.reads.append(
            Read(
                self.name, begin, end, seen, snapshot.sequence, snapshot.generation, state,
                settings, {p.key for p in pictures if p.classes}, found.instance.prefix,
            )
        )  # fmt: skip
        listed = [picture.key for picture in pictures]
        if listed != sorted(set(listed)):
            self._violate("duplicate", f"listing {listed}")
        for picture in pictures:
            if picture.classes not in ((), _classes(picture.attributes.int_attr or 0)):
                self._violate("mixed", f"{picture} has another picture's classes")
        if thorough or self.run.world.random.random() < (0.8 if snapshot.manifest.outpost else 0.3):
            self._compare(snapshot, {picture.key: picture for picture in pictures})

    def _compare(self, snapshot: Snapshot, listed: dict[PictureKey, Picture]) -> None:
        """Check that the other ways of looking at a snapshot show the same."""
        answer = snapshot.search(Query(features=look(0), num=100))
        hits = {hit.picture.key: hit.picture for hit in answer.hits}
        if len(hits) != len(answer.hits) or hits != listed:
            self._violate("duplicate", f"search {hits} but listing {listed}")
        if snapshot.manifest.outpost:
            self._compare_filtered(snapshot, listed)
        counts = answer.total, snapshot.pictures, snapshot.products
        if counts != (len(listed), len(listed), len({key.product_id for key in listed})):
            self._violate("duplicate", f"counts {counts} but listing {listed}")
        for key in KEYS:
            found = snapshot.find(key)
            if (found.picture if found else None) != listed.get(key):
                self._violate("duplicate", f"{key} is {found} but listing {listed}")
            if found and found.features != look((found.picture.attributes.int_attr or 0) % 8):
                self._violate("mixed", f"{found.picture} has another picture's look")
        for name in {key.product_id for key in KEYS}:
            if snapshot.of_product(name) != [key for key in sorted(listed) if key[0] == name]:
                self._violate("duplicate", f"{snapshot.of_product(name)} but listing {listed}")

    def _compare_filtered(self, snapshot: Snapshot, listed: dict[PictureKey, Picture]) -> None:
        """Check that a filter passes what is changed as it is by now."""
        settings = sorted(v for picture in listed.values() if (v := setting_of(picture)))
        least = settings[len(settings) // 2] if settings else 1
        passing = Filter.parse(f"int_attr2 >= {least}")
        hits = snapshot.search(Query(features=look(0), num=100, filter=passing)).hits
        expected = {key for key, picture in listed.items() if (setting_of(picture) or 0) >= least}
        if {hit.picture.key for hit in hits} != expected:
            self._violate("mixed", f"{passing} finds {hits} but listing {listed}")

    def _violate(self, kind: str, text: str) -> None:
        self.run.history.violate(kind, f"{self.name}: {text}")

    def create(self) -> None:
        """Make the instance unless it is there.

        No request to make it arrives late: not even after it was erased again, within seconds.
        """
        write = Write(f"{self.name} create", {}, self.run.world.tick())
        self.run.history.writes.append(write)
        calm = self._opened(CALM)
        create_instance(calm, CreateInstance(instance=NAME, service=Service.PRODUCT))
        write.end = self.run.world.tick()

    def tidy(self) -> None:
        """Fold, settle, merge and collect."""
        self.deployment.open(NAME).index.maintain()


def _classes(version: int) -> tuple[int, ...]:
    """Return what is found out of the picture of a version."""
    return (version % 1000,)


class Writer(Actor):
    """Adds, replaces, changes, deletes; repeats under the same id what failed, or gives up."""

    def operate(self) -> None:
        if self.run.world.random.random() < 0.1:
            self._find()
        else:
            self._write()
        if self.run.world.random.random() < 0.5:
            self.read()

    def _write(self) -> None:
        dice = self.run.world.random
        write, content = self._draw()
        self.run.history.writes.append(write)
        operation = f"operation {next(self.run.names)}" if dice.random() < 0.5 else None
        look_up = self.deployment.place if dice.random() < 0.5 else self.deployment.open
        for write.attempts in range(1, 1 + (dice.choice([1, 2, 3]) if operation else 1)):
            try:
                found = look_up(NAME)
                write.homes.add(found.instance.prefix)
                self._dawdle()
                after = found.place if look_up == self.deployment.place else found.snapshot
                write.sequence = found.index.append(**content, after=after, operation_id=operation)
                write.end = self.run.world.tick()
                break
            except EXPECTED:
                self.process.deadline = self.run.world.now + OPERATION_LIMIT

    def _find(self) -> None:
        """Find something out of a picture that is there."""
        begin = self.run.world.tick()
        found = self.deployment.open(NAME)
        lacking = found.snapshot.without_meaning()
        if not lacking:
            return
        one = self.run.world.random.choice(lacking)
        version = one.picture.attributes.int_attr or 0
        write = Write(f"{self.name} find", {}, begin)
        write.found = {one.picture.key: version}
        write.homes.add(found.instance.prefix)
        self.run.history.writes.append(write)
        self._dawdle()
        change = Change(one.picture.key, of=one.version, classes=_classes(version))
        write.sequence = found.index.append(changes=[change], after=found.snapshot)
        write.end = self.run.world.tick()

    def _dawdle(self) -> None:
        """Take as long as decoding and embedding a picture take."""
        self.process.pause(self.run.world.random.randrange(2 * SECOND))

    def _draw(self) -> tuple[Write, dict[str, Any]]:
        dice = self.run.world.random
        kind = dice.choice(KINDS)
        chosen = dice.sample(KEYS, 2 if kind in ("batch", "mixed", "both") else 1)
        changes: dict[PictureKey, int | None] = {}
        deletions: list[Deletion] = []
        if kind == "product":
            deletions.append(OfProduct(chosen[0].product_id))
            changes |= {key: None for key in KEYS if key.product_id == chosen[0].product_id}
        if kind in ("delete", "mixed"):
            deletions.append(OfPicture(chosen[0]))
            changes[chosen[0]] = None
        added = {"add": chosen, "batch": chosen, "mixed": chosen[1:], "both": chosen[1:]}
        entries = [self._entry(key) for key in added.get(kind, [])]
        changes |= {entry.picture.key: entry.picture.attributes.int_attr for entry in entries}
        changed = chosen if kind in ("change", "both") else []
        settings = {key: next(self.run.versions) for key in changed}
        write = Write(f"{self.name} {kind}", changes, self.run.world.tick(), settings=settings)
        told = [Change(key, {"int_attr2": value}) for key, value in settings.items()]
        return write, {"entries": entries, "deletions": deletions, "changes": told}

    def _entry(self, key: PictureKey) -> Entry:
        version = next(self.run.versions)
        attributes = Attributes(int_attr=version)
        return Entry(Picture(key, OTHER, Region(0, 1, 0, 1), attributes), look(version % 8))


KINDS = [
    *("add", "add", "add", "batch", "change", "change", "change", "both"),
    *("delete", "delete", "product", "mixed"),
]


class Reader(Actor):
    """Looks."""

    def operate(self) -> None:
        self.read()
