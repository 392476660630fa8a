"""The circumstances of one run: how many of whom, how busy they are, how bad the weather is."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product

from imagesearch.catalogue import PictureKey
from imagesearch.index import Policy

from tests.simulation.network import CALM, Weather
from tests.simulation.world import SECOND

NAME = "simulated"
MODEL = "simulated"
KEYS = tuple(PictureKey(*key) for key in product("ab", "12"))

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
    turners: int = 0
    erasers: int = 0
    stewards: int = 0
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
