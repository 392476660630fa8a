"""Upkeep: whatever an index needs to have done, in one call."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from imagesearch.errors import NoSuchObject, UnknownInstance
from imagesearch.index.attachment import fill_if_possible, lacking
from imagesearch.index.collect import collect
from imagesearch.index.fold import folded
from imagesearch.index.keeper import Keeper
from imagesearch.index.manifest import Manifest
from imagesearch.index.merge import due, merge
from imagesearch.index.policy import Policy
from imagesearch.index.settle import low_water, marked

__all__ = ["Maintained", "fold", "maintain"]

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Maintained:
    """What was done: log objects folded, segments merged into one, objects deleted.

    ``more`` tells that another call would find something to do at once; ``filled`` counts the
    segments that an engine elsewhere lacked and was given.
    """

    folded: int
    merged: int
    collected: int
    more: bool
    filled: int = 0


def fold(keeper: Keeper) -> bool:
    """Turn the log's tail into a segment; false if there was none or somebody else did."""
    seen = keeper.reader.observe()
    if not seen.view.tail.names:
        return False
    return keeper.commit(seen.held, folded(keeper, seen, seen.held.manifest.low_water))


def maintain(keeper: Keeper) -> Maintained:
    """Fold the log, settle it, merge segments and collect garbage, each if it is due.

    An engine elsewhere is given one segment that it lacks, if it lacks any and answers. Safe to
    run any number of times at once: what loses a race is left for the next call. Raises
    :class:`CorruptObject` when something is damaged; nothing is deleted then.
    """
    before, refused = keeper.reader.manifest().manifest, keeper.outposts.refused
    now = pulse(keeper)
    count = _fold_and_settle(keeper, before.clock, now)
    manifest = keeper.reader.manifest().manifest
    sources = due(manifest, keeper.policy)
    merged = len(sources) if sources and merge(keeper, sources) else 0
    willing = manifest.outpost is not None and keeper.outposts.refused == refused
    filled = fill_if_possible(keeper) if willing else 0
    swept = _sweep(keeper, now)
    more = bool(merged or filled) and _has_more(keeper.reader.manifest().manifest, keeper.policy)
    return Maintained(count, merged, swept, more, filled)


def _has_more(manifest: Manifest, policy: Policy) -> bool:
    return bool(due(manifest, policy) or lacking(manifest))


def pulse(keeper: Keeper) -> int:
    """Return the store's time (µs), not later than now."""
    keeper.store.put(keeper.keys.pulse, b"")
    try:
        return keeper.store.head(keeper.keys.pulse).modified
    except NoSuchObject:  # only erasing removes it
        raise UnknownInstance(f"there is no index at {keeper.keys.prefix}.") from None


def _fold_and_settle(keeper: Keeper, clock: int, now: int) -> int:
    """Fold what the log holds; ``clock`` was the manifest's before the store's time ``now``."""
    seen = keeper.reader.observe()
    seen.view.check()
    manifest = seen.held.manifest
    settled = low_water(manifest, keeper.policy, now, len(seen.listed))
    marks = marked(manifest.marks, clock, now, settled)
    tail = seen.view.tail.names
    if not tail and settled == manifest.low_water and marks == manifest.marks:
        return 0
    after = msgspec.structs.replace(folded(keeper, seen, settled), marks=marks)
    return len(tail) if keeper.commit(seen.held, after) else 0


def _sweep(keeper: Keeper, now: int) -> int:
    """Collect garbage if nobody began to lately.

    That is noted before it is done. So between two collections there is a day, in which whoever
    is rolling back to a generation that the first one has let go can finish.
    """
    held = keeper.reader.manifest()
    if now - held.manifest.swept < keeper.policy.sweep_every * _SECOND:
        return 0
    if not keeper.commit(held, msgspec.structs.replace(held.manifest, swept=now)):
        return 0
    return collect(keeper, now)
