"""Where one way of searching becomes better than another: found by the model, not by eye."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from benchmarks.scale.model import WAYS, Load, Plan
from benchmarks.scale.prices import LIMITS

__all__ = ["HARDLY", "HARDLY_USD", "Stretch", "cheapest", "first", "largest_default", "stretches"]

HARDLY, HARDLY_USD = 1.05, 5.0
"""What is at most so much dearer (a factor, or USD a month) is as good if it is simpler."""
_SMALLEST, _LARGEST = 1e4, 1e9
_STEPS = 40
"""Sizes that are looked at in each power of ten, before the place is found exactly."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``start`` to ``end`` pictures ``way`` is the one to take."""

    start: float
    end: float
    way: str


def _sizes() -> list[float]:
    decades = math.log10(_LARGEST / _SMALLEST)
    count = round(decades * _STEPS)
    return [_SMALLEST * 10 ** (step / _STEPS) for step in range(count + 1)]


def first(holds: Callable[[float], bool]) -> float | None:
    """Return from how many pictures on something holds, for the first time; ``None`` if never.

    To a hundredth of the figure.
    """
    before = 0.0
    for size in _sizes():
        if holds(size):
            return _between(before, size, holds) if before else size
        before = size
    return None


def _between(low: float, high: float, holds: Callable[[float], bool]) -> float:
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def cheapest(load: Load) -> Plan | None:
    """Return the cheapest plan that is possible; of those that hardly cost more, the simplest."""
    possible = [plan for plan in (way(load) for way in WAYS.values()) if not plan.reason]
    least = min((plan.cost for plan in possible), default=0.0)
    bound = max(least * HARDLY, least + HARDLY_USD)
    return next((plan for plan in possible if plan.cost <= bound), None)


def stretches(load: Callable[[float], Load]) -> Iterator[Stretch]:
    """Yield which way is cheapest where, from 10,000 to a billion pictures."""

    def way(size: float) -> str:
        plan = cheapest(load(size))
        return plan.way if plan else "none of these"

    sizes = _sizes()
    start, current = sizes[0], way(sizes[0])
    for before, size in pairwise(sizes):
        if way(size) != current:
            end = _between(before, size, partial(_differs, way, current))
            yield Stretch(start, end, current)
            start, current = end, way(size)
    yield Stretch(start, sizes[-1], current)


def _differs(way: Callable[[float], str], known: str, size: float) -> bool:
    return way(size) != known


def largest_default(load: Callable[[float], Load]) -> float | None:
    """Return from how many pictures one function needs more than it has unless told so."""

    def larger(size: float) -> bool:
        plan = WAYS["one function"](load(size))
        return plan.tmp_mb > LIMITS.default_tmp_mb or plan.memory_mb > LIMITS.default_memory_mb

    return first(larger)
