"""The canary: searches for stored pictures tell whether searches still find what they should."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace

from imagesearch.catalogue import PictureKey
from imagesearch.index import Entry, Query, Snapshot
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
    several pictures of which another picture comes first (``None`` if the sample has none), and
    ``pictures`` the size of the sample.
    """

    recall: float
    milliseconds: float
    matched: float | None
    pictures: int


def sing(instance: str, snapshot: Snapshot, *, seed: int) -> Sung | None:
    """Search for a random sample of the pictures; emit what was found as metrics.

    Returns ``None`` for an instance that is too small. Takes about a minute at most.
    """
    if snapshot.pictures < _SMALLEST:
        return None
    until = time.monotonic() + _SECONDS
    recalls: list[float] = []
    times: list[float] = []
    matches: list[bool] = []
    for entry in snapshot.sample(_PICTURES, seed=seed):
        query = Query(features=entry.features, num=_NEIGHBOURS + 1)
        began = time.perf_counter()
        found = [hit.picture.key for hit in snapshot.search(query).hits]
        times.append((time.perf_counter() - began) * 1000)
        # With a threshold, however low, every picture is compared exactly.
        exact = snapshot.search(replace(query, score_threshold=1e-9)).hits
        wanted = {hit.picture.key for hit in exact}
        recalls.append(len(wanted.intersection(found)) / max(len(wanted), 1))
        if (match := _matched(entry, snapshot, found)) is not None:
            matches.append(match)
        if time.monotonic() > until:
            break
    sung = Sung(
        statistics.fmean(recalls),
        statistics.median(times),
        statistics.fmean(matches) if matches else None,
        len(recalls),
    )
    counts = {"CanaryRecall": sung.recall}
    if sung.matched is not None:
        counts["CanaryMatched"] = sung.matched
    measure(instance, counts, {"canary": sung.milliseconds})
    return sung


def _matched(entry: Entry, snapshot: Snapshot, found: list[PictureKey]) -> bool | None:
    """Tell whether the first other picture is of the same product, if that has others."""
    key = entry.picture.key
    if len(snapshot.of_product(key.product_id)) < 2:
        return None
    others = [other for other in found if other != key]
    return bool(others) and others[0].product_id == key.product_id
