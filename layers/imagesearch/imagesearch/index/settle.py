"""The low-water mark: which part of the log is settled and need not be listed any more.

A write takes a clock above everything its snapshot saw, and is acknowledged within
``write_deadline`` of that snapshot or not at all. So once a manifest with clock c has been in
force for longer than that, no write with a clock of at most c can be acknowledged any more, and
whoever then lists the log and folds all of it has seen every one there is. Listings may start at
c from there on.

How long a manifest has been in force is told by the store alone: before we look, we write an
object and read back when the store says it was written. A mark notes that moment together with
the clock of the manifest that we had read before it.
"""

from __future__ import annotations

from collections.abc import Sequence

from imagesearch.index.manifest import Manifest, Mark
from imagesearch.index.policy import Policy

__all__ = ["low_water", "marked"]

_MOST_MARKS = 32
_SECOND = 1_000_000


def low_water(manifest: Manifest, policy: Policy, now: int, listed: int) -> int:
    """Return the clock up to which the log is settled at the store's time ``now``.

    A short log (``listed`` names) keeps its names longer, because repeated operations are
    recognised by them.
    """
    wait = policy.settle_after if listed > policy.listing_target else policy.remember
    wait = max(wait, policy.settle_after) * _SECOND
    settled = [mark.clock for mark in manifest.marks if now - mark.at >= wait]
    return max([manifest.low_water, *settled])


def marked(marks: Sequence[Mark], clock: int, now: int, settled: int) -> tuple[Mark, ...]:
    """Return the marks with one more, without those that no longer matter."""
    kept = [mark for mark in marks if mark.clock > settled]
    if clock > max([settled, *(mark.clock for mark in kept)]):
        kept.append(Mark(clock, now))
    while len(kept) > _MOST_MARKS:
        gaps = [kept[i + 1].at - kept[i - 1].at for i in range(1, len(kept) - 1)]
        del kept[1 + gaps.index(min(gaps))]
    return tuple(kept)
