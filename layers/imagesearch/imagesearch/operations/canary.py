"""The canary: searches for stored pictures tell whether searches still find what they should."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from imagesearch.index import Entry, Hit, Query, Snapshot
from imagesearch.observe import measure

__all__ = ["Sung", "sing"]

_PICTURES = 20
_NEIGHBOURS = 10
_SMALLEST = 50
"""Pictures of an instance below which its figures would mean nothing."""
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Sung:
    """What a canary found.

    ``recall`` is the share (0…1) of the ten pictures really most alike that searches find,
    ``milliseconds`` the median of a search in the index, ``matched`` the share of products with
    several pictures of which another picture comes first (``None`` if the sample has none),
    ``drift`` by how much the match probability of those first hits exceeds that (``None`` also
    without a calibration), and ``pictures`` the size of the sample.
    """

    recall: float
    milliseconds: float
    matched: float | None
    drift: float | None
    pictures: int


def sing(
    instance: str,
    snapshot: Snapshot,
    *,
    seed: int,
    probability: Callable[[float], float | None] = lambda _: None,
) -> Sung | None:
    """Search for a random sample of the pictures; emit what was found as metrics.

    ``probability`` tells how likely two pictures of a score show the same thing. Returns ``None``
    for an instance that is too small. Takes about a minute at most.
    """
    if snapshot.pictures < _SMALLEST:
        return None
    until = time.monotonic() + _SECONDS
    recalls: list[float] = []
    times: list[float] = []
    matches: list[bool] = []
    told: list[float] = []
    for entry in snapshot.sample(_PICTURES, seed=seed):
        query = Query(features=entry.features, num=_NEIGHBOURS + 1)
        began = time.perf_counter()
        hits = snapshot.search(query).hits
        times.append((time.perf_counter() - began) * 1000)
        # With a threshold, however low, every picture is compared exactly.
        exact = snapshot.search(replace(query, score_threshold=1e-9)).hits
        wanted = {hit.picture.key for hit in exact}
        found = {hit.picture.key for hit in hits}
        recalls.append(len(wanted & found) / max(len(wanted), 1))
        if first := _first_other(entry, snapshot, hits):
            matches.append(first.picture.key.product_id == entry.picture.key.product_id)
            if (chance := probability(first.likeness.score)) is not None:
                told.append(chance)
        if time.monotonic() > until:
            break
    sung = Sung(
        statistics.fmean(recalls),
        statistics.median(times),
        statistics.fmean(matches) if matches else None,
        statistics.fmean(told) - statistics.fmean(matches) if told else None,
        len(recalls),
    )
    counts = {"CanaryRecall": sung.recall}
    if sung.matched is not None:
        counts["CanaryMatched"] = sung.matched
    if sung.drift is not None:
        counts["CanaryDrift"] = sung.drift
    measure(instance, counts, {"canary": sung.milliseconds})
    return sung


def _first_other(entry: Entry, snapshot: Snapshot, hits: Iterable[Hit]) -> Hit | None:
    """Return the first hit but the picture itself, if its product has other pictures."""
    key = entry.picture.key
    if len(snapshot.of_product(key.product_id)) < 2:
        return None
    return next((hit for hit in hits if hit.picture.key != key), None)
