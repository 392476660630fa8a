"""Merging: small segments become large ones, and dead rows go."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from imagesearch.index.attachment import unheld
from imagesearch.index.features import DIMENSIONS
from imagesearch.index.keeper import Keeper
from imagesearch.index.manifest import Manifest, SegmentInfo
from imagesearch.index.policy import Policy
from imagesearch.index.scan import WORDS
from imagesearch.index.segment import Draft, Segment
from imagesearch.index.table import row_order

__all__ = ["due", "merge"]

_TRIES = 8
_SMALLEST = 64
_GONE = -1


def due(manifest: Manifest, policy: Policy) -> list[SegmentInfo]:
    """Return the segments to merge into one next; none if all is well.

    Either one with too many dead rows, or ``policy.tier`` of similar size: the sizes of a tier
    differ by less than a factor of ``policy.tier``, so every row is copied once per tier.
    """
    for info in manifest.segments:
        if manifest.dead.get(info.id, 0) > policy.dead_share * info.rows:
            return [info]
    tiers: dict[int, list[SegmentInfo]] = {}
    for info in sorted(manifest.segments, key=lambda info: _alive(manifest, info)):
        size = _alive(manifest, info)
        if size <= policy.segment_rows / 2:
            tier = int(math.log(max(size, _SMALLEST) / _SMALLEST, policy.tier) + 1e-9)
            tiers.setdefault(tier, []).append(info)
    for group in tiers.values():
        if len(group) >= policy.tier:
            return _fitting(manifest, group, policy.segment_rows)
    return []


def _alive(manifest: Manifest, info: SegmentInfo) -> int:
    return info.rows - manifest.dead.get(info.id, 0)


def _fitting(manifest: Manifest, group: Sequence[SegmentInfo], limit: int) -> list[SegmentInfo]:
    """Return as many of the smallest as fit into one segment; two always do."""
    rows = np.cumsum([_alive(manifest, info) for info in group])
    return list(group[: max(2, int(np.searchsorted(rows, limit, "right")))])


@dataclass(frozen=True, slots=True)
class _Moved:
    """Which row of the new segment each row of an old one became; -1 if it was dead."""

    old: str
    rows: NDArray[np.int64]


def merge(keeper: Keeper, sources: Sequence[SegmentInfo]) -> bool:
    """Replace segments by one with their living rows.

    Rows that die while we copy are dead in the copy. False if the sources were merged or
    rolled back meanwhile.
    """
    held = keeper.reader.manifest()
    if not _has_all(held.manifest, sources):
        return False
    attached = held.manifest.attached
    draft, moved = _gathered(keeper, held.manifest, sources)
    new: list[SegmentInfo] = []
    if draft.pictures:
        new = [keeper.put_segment(held.manifest, draft)]
    for _ in range(_TRIES):
        held = keeper.reader.manifest()
        if not _has_all(held.manifest, sources):
            return False
        if not _still_dead(keeper, held.manifest, moved):
            return False
        if held.manifest.attached != attached:  # what was filled may be gone
            new = [*unheld(new)]
        if keeper.commit(held, _replaced(keeper, held.manifest, moved, new)):
            return True
    return False


def _has_all(manifest: Manifest, sources: Iterable[SegmentInfo]) -> bool:
    return {info.id for info in sources} <= {info.id for info in manifest.segments}


def _gathered(
    keeper: Keeper, manifest: Manifest, sources: Sequence[SegmentInfo]
) -> tuple[Draft, list[_Moved]]:
    """Return the living rows of some segments, and which row of the draft each became."""
    tombs = keeper.reader.shelf.tombs(manifest)
    segments = [keeper.reader.shelf.segment(manifest.index, info) for info in sources]
    alive = [np.delete(np.arange(len(segment)), tombs.of(segment.id)) for segment in segments]
    parts = list(zip(segments, alive, strict=True))
    pictures = [segment.picture(row) for segment, rows in parts for row in rows.tolist()]
    order = row_order(pictures)
    count = len(pictures)
    became = np.empty(count, np.int64)
    became[order] = np.arange(count)
    draft = Draft(
        [pictures[i] for i in order],
        np.empty((count, 2), np.uint64),
        np.empty((count, DIMENSIONS), np.int8),
        np.empty((WORDS, count), np.uint64),
        np.zeros(count, np.bool_),
        _gathered_meanings(parts, became),
    )
    moved, start = [], 0
    for segment, rows in parts:
        places = became[start : start + rows.size]
        draft.versions[places] = segment.table.versions(rows)
        draft.rows[places] = segment.rows(rows)
        draft.codes[:, places] = segment.codes[:, rows]
        draft.meant[places] = segment.meant[rows]
        to = np.full(len(segment), _GONE, np.int64)
        to[rows] = places
        moved.append(_Moved(segment.id, to))
        start += rows.size
    return draft, moved


def _gathered_meanings(
    parts: Sequence[tuple[Segment, NDArray[np.int64]]], became: NDArray[np.int64]
) -> NDArray[np.int8]:
    """Return the meanings of some rows of segments in the order of the rows they became."""
    places, meanings, start = [], [], 0
    for segment, rows in parts:
        meant = segment.meant[rows]
        if meant.any():
            places.append(became[start : start + rows.size][meant])
            meanings.append(segment.meanings(rows[meant]))
        start += rows.size
    if not places:
        return np.zeros((0, DIMENSIONS), np.int8)
    gathered = np.concatenate(meanings)
    return gathered[np.argsort(np.concatenate(places))]


def _still_dead(keeper: Keeper, manifest: Manifest, moved: Iterable[_Moved]) -> bool:
    """Tell whether the rows left out are dead; a rollback may have brought them back."""
    tombs = keeper.reader.shelf.tombs(manifest)
    return all(
        np.isin(np.flatnonzero(move.rows == _GONE), tombs.of(move.old)).all() for move in moved
    )


def _replaced(
    keeper: Keeper, manifest: Manifest, moved: Sequence[_Moved], new: Sequence[SegmentInfo]
) -> Manifest:
    """Return the manifest with the new segment for the old ones, and what of it died since."""
    tombs = keeper.reader.shelf.tombs(manifest)
    gone = {move.old for move in moved}
    dead = {name: rows for name, rows in tombs.dead.items() if name not in gone}
    died = [rows[rows != _GONE] for rows in (m.rows[tombs.of(m.old)] for m in moved)]
    for info in new:
        if any(rows.size for rows in died):
            dead[info.id] = np.sort(np.concatenate(died))
    after = keeper.put_tombs(manifest, replace(tombs, dead=dead))
    kept = tuple(info for info in manifest.segments if info.id not in gone)
    return msgspec.structs.replace(after, segments=(*kept, *new))
