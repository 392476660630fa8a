"""What keeping one index in shape takes, and how large one log with one manifest can become."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from benchmarks.scale.growth import growth, segments
from benchmarks.scale.prices import ASSUMED, LIMITS, REQUEST_PRICES

__all__ = ["Upkeep", "function_seconds", "largest", "upkeep", "what_bounds"]

_MIB = 1 << 20
_MEMORY_MB = 2048
_MERGED_ROWS = 500_000
_REQUESTS = 12
"""Requests of a fold, one after the other."""
_HISTORY = 24 * 7
"""Manifests that are kept beyond a day: one of each hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """One index at one size: what a fold takes with nothing at hand, and what a month costs.

    ``tombs`` are the bytes of the tombstones if every segment has a dead row, ``manifest`` those
    of the manifest; each fold writes both, and every environment reads them after it.
    ``stored`` is everything in the bucket.
    """

    pictures: float
    fold_tmp_mb: float
    fold_memory_mb: float
    cold_fold_s: float
    fold_s: float
    segments: float
    manifest: float
    tombs: float
    stored: float
    cost: float

    @property
    def told(self) -> float:
        """Return the bytes that say what an index consists of, which every environment reads."""
        return self.manifest + self.tombs


def function_seconds(seconds: float, memory_mb: float) -> float:
    """Return what so many seconds of a function cost."""
    return seconds * memory_mb / 1024 * REQUEST_PRICES.gb_second_x86_64


def upkeep(pictures: float, writes: float) -> Upkeep:
    """Return the upkeep of an index of so many pictures with so many writes a month."""
    grown = growth()
    count = segments(pictures)
    manifest, tombs = grown.manifest_segment_bytes * count, pictures / 8
    tables = grown.table.each * pictures
    moved = (manifest + 2 * tombs) / (ASSUMED.s3_mb_s * 1e6)
    warm = (
        grown.refold_ms.at(pictures) / 1e3 * ASSUMED.scan_factor
        + moved
        + _REQUESTS * ASSUMED.s3_latency_s
    )
    cold = (
        grown.fold_ms.at(pictures) / 1e3 * ASSUMED.scan_factor
        + moved
        + tables / (ASSUMED.s3_mb_s * 1e6)
        + _REQUESTS * ASSUMED.s3_latency_s
    )
    folds = writes / ASSUMED.fold_writes
    merge_s = ASSUMED.copies * writes * grown.merge_row_ms / 1e3 * ASSUMED.scan_factor
    share = _cold(folds)
    price = REQUEST_PRICES
    seconds = folds * (warm + share * (cold - warm)) + merge_s
    requests = folds * (6 * price.s3_write + (3 + share * 2 * count) * price.s3_read)
    days = min(1.0, folds / 30)
    return Upkeep(
        pictures=pictures,
        fold_tmp_mb=(tables * ASSUMED.tmp_slack + _MERGED_ROWS * grown.files) / _MIB,
        fold_memory_mb=grown.fold_memory_mb.at(pictures) * 1e6 / _MIB,
        cold_fold_s=cold,
        fold_s=warm,
        segments=count,
        manifest=manifest,
        tombs=tombs,
        stored=pictures * grown.files
        + manifest * (folds / 30 + min(_HISTORY, folds / 30 * 7))
        + tombs * days,
        cost=function_seconds(seconds, _MEMORY_MB) + requests,
    )


def _cold(folds: float) -> float:
    """Return the share of folds that find the function idle for too long, or renewed."""
    rate = folds / (ASSUMED.hours * 3600)
    idle = math.exp(-rate * ASSUMED.idle_s)
    return idle + (1 - idle) / max(1.0, rate * ASSUMED.age_s)


def what_bounds(pictures: float) -> str:
    """Return what keeps one index from having so many pictures, or nothing."""
    found = upkeep(pictures, 0)
    if found.fold_tmp_mb > LIMITS.tmp_mb:
        return "`/tmp` of the function that folds: it opens the tables of all rows"
    if found.cold_fold_s > LIMITS.upkeep_s:
        return "the time of a fold with nothing at hand"
    return ""


@cache
def largest() -> int:
    """Return the most pictures that one log with one manifest can have, rounded down."""
    low, high = 1e5, 1e10
    while high - low > 1e4:
        middle = (low + high) / 2
        low, high = (low, middle) if what_bounds(middle) else (middle, high)
    return int(low // 1e6 * 1e6)
