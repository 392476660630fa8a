"""Folding: what the log says becomes a segment, and the manifest says so."""

from __future__ import annotations

import msgspec

from imagesearch.index.keeper import Keeper
from imagesearch.index.manifest import Manifest
from imagesearch.index.reader import Observation
from imagesearch.index.segment import Draft
from imagesearch.index.tombs import Tombs
from imagesearch.index.view import View

__all__ = ["folded"]


def folded(keeper: Keeper, seen: Observation, low_water: int) -> Manifest:
    """Return a manifest in which all of the log that was seen is in segments.

    Writes the objects that it names. ``low_water`` is the new low-water mark.
    """
    view, manifest = seen.view, seen.view.manifest
    segments = list(manifest.segments)
    if view.writes:
        draft = Draft.of((write.version, write.entry) for write in view.writes.values())
        segments.append(keeper.put_segment(manifest, draft))
    if view.tail.names or low_water > manifest.low_water:
        manifest = keeper.put_tombs(manifest, _tombs(view, low_water))
    return msgspec.structs.replace(
        manifest,
        clock=seen.sequence,
        low_water=low_water,
        folded=seen.ruled_out(low_water),
        segments=tuple(segments),
    )


def _tombs(view: View, low_water: int) -> Tombs:
    """Return what is dead in the segments, the tail included."""
    hidden = {segment.id: view.hidden(segment) for segment in view.segments()}
    return Tombs(
        {name: rows for name, rows in hidden.items() if rows.size},
        view.deletions.after(low_water),
        view.changes.after(low_water),
    )
