"""One run of a scenario: a world, a bucket, the processes in it, and what they saw."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any
from unittest.mock import patch

import numpy as np
from imagesearch.errors import CorruptObject, UnknownInstance
from imagesearch.index.collect import _settled
from imagesearch.index.features import BIT_BYTES, bits_of
from imagesearch.index.keeper import Keeper
from imagesearch.index.manifest import Manifest
from numpy.typing import NDArray

from tests.engines.exact import ExactEngine
from tests.simulation.actors import Actor, Reader, Writer
from tests.simulation.bucket import Bucket
from tests.simulation.history import History
from tests.simulation.keepers import Eraser, Folder, Steward, Turner
from tests.simulation.network import CALM
from tests.simulation.scenario import Scenario
from tests.simulation.world import SECOND, Process, World


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
    engines: dict[str, ExactEngine] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world = World(self.scenario.seed)
        self.bucket = Bucket(lambda: self.world.now)
        scenario = self.scenario
        self.busy = scenario.writers + scenario.readers + scenario.turners + scenario.erasers
        self.busy += scenario.stewards

    def engine(self, name: str) -> ExactEngine:
        """Return an engine elsewhere by its name."""
        return self.engines.setdefault(name, ExactEngine(name))

    def go(self) -> History:
        """Run the scenario, then look once more in calm weather, fold, and look again."""
        self._alone("creator", lambda actor: actor.create())
        if self.scenario.stewards:
            self._alone("first steward", Steward.begin_serving, Steward)
        for kind, number in (
            (Writer, self.scenario.writers),
            (Reader, self.scenario.readers),
            (Folder, self.scenario.folders),
            (Turner, self.scenario.turners),
            (Eraser, self.scenario.erasers),
            (Steward, self.scenario.stewards),
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

    def _alone(self, name: str, work: Callable[[Any], object], kind: type[Actor] = Actor) -> None:
        actor = kind(self, name, CALM)

        def body(process: Process) -> None:
            actor.begin(process, crash=0.0)
            try:
                with suppress(UnknownInstance):
                    work(actor)
            except CorruptObject as error:
                self.history.violate("damaged", f"{name}: {error.detail}")

        self.world.start(name, body)
        self.world.run()


@contextmanager
def simulated(seed: int) -> Iterator[None]:
    """Let the product's random names follow from the seed, and its processes share no lock."""
    dice = random.Random(f"names {seed}")
    with ExitStack() as patches:
        patches.enter_context(
            patch("secrets.token_hex", lambda size=32: dice.randbytes(size).hex())
        )
        for module in ("log", "outposts", "served"):
            patches.enter_context(patch(f"imagesearch.index.{module}.bits_of", _known_bits))
        patches.enter_context(patch("imagesearch.operations.instances.time", _Still))
        for lazy in _lazy_properties() if sys.version_info < (3, 12) else ():
            patches.enter_context(patch.object(lazy, "lock", nullcontext()))
        yield


class _Still:
    """The time at which instances are made; what sets them apart is random."""

    @staticmethod
    def time_ns() -> int:
        return 1_700_000_000 * 10**9


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
