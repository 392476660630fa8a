"""Folding: what the log says becomes a segment, and the manifest says so."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import LostRace
from imagesearch.index.features import BIT_BYTES, DIMENSIONS
from imagesearch.index.keys import Keys
from imagesearch.index.manifest import FileInfo, Held, Manifest, SegmentInfo
from imagesearch.index.segment import Draft
from imagesearch.index.tail import Write
from imagesearch.index.tombs import Tombs
from imagesearch.index.view import View
from imagesearch.storage import ObjectStore

__all__ = ["commit", "fold", "new_id", "put_segment", "put_tombs"]


def fold(store: ObjectStore, keys: Keys, held: Held, view: View, listed: Iterable[str]) -> bool:
    """Fold the view's tail; false if somebody else changed the manifest meanwhile.

    ``listed`` are the names of all log objects that the view's listing found.
    """
    manifest = view.manifest
    tombs = Tombs(
        {
            segment.id: hidden
            for segment in view.segments()
            if (hidden := view.hidden(segment)).size
        },
        view.deletions.after(manifest.low_water),
    )
    segments = list(manifest.segments)
    if view.writes:
        draft = _draft(list(view.writes.values()))
        segments.append(put_segment(store, keys, manifest, draft)[0])
    clocks = [int(name[:20]) for name in view.tail.names]
    after = msgspec.structs.replace(
        manifest,
        generation=manifest.generation + 1,
        clock=max([manifest.clock, *clocks]),
        folded=tuple(n for n in sorted(listed) if int(n[:20]) > manifest.low_water),
        segments=tuple(segments),
        dead={segment: int(rows.size) for segment, rows in tombs.dead.items()},
        tombs=put_tombs(store, keys, manifest, tombs),
    )
    return commit(store, keys, held, after)


def commit(store: ObjectStore, keys: Keys, held: Held, after: Manifest) -> bool:
    """Put the next manifest in force; false if somebody else was first.

    The one it replaces is kept in the history first, so that every generation is in there once
    it has been replaced, and none that never was in force.
    """
    store.put_if_absent(keys.history(held.manifest.generation), held.body)
    try:
        store.compare_and_swap(keys.manifest, after.encode(), held.etag)
    except LostRace:
        return False
    return True


def new_id(manifest: Manifest) -> str:
    """Return a name that no other object has. Random, so that nobody reuses a doomed one."""
    return f"{manifest.generation + 1:012d}-{secrets.token_hex(8)}"


def put_segment(
    store: ObjectStore, keys: Keys, manifest: Manifest, draft: Draft
) -> tuple[SegmentInfo, NDArray[np.int64]]:
    """Write a segment's files; return its description and which picture became which row."""
    name = new_id(manifest)
    files, order = draft.files(manifest.index, name)
    for file, data in files.items():
        store.put(keys.segment(name, file), data)
    return _info(name, draft, files), order


def _info(id: str, draft: Draft, files: Mapping[str, bytes]) -> SegmentInfo:
    return SegmentInfo(
        id,
        len(draft.pictures),
        int(draft.versions[:, 0].max()),
        dict(sorted(Counter(picture.category_id for picture in draft.pictures).items())),
        {
            name: FileInfo(len(data), hashlib.sha256(data).hexdigest())
            for name, data in files.items()
        },
    )


def put_tombs(store: ObjectStore, keys: Keys, manifest: Manifest, tombs: Tombs) -> str:
    """Write the tombstones; return their id, empty if there is nothing dead."""
    if not tombs:
        return ""
    name = new_id(manifest)
    store.put(keys.tombs(name), tombs.encode(manifest.index, name))
    return name


def _draft(writes: list[Write]) -> Draft:
    return Draft(
        [write.entry.picture for write in writes],
        np.array([tuple(write.version) for write in writes], np.uint64),
        np.stack([write.entry.features.row for write in writes]).reshape(-1, DIMENSIONS),
        np.stack([write.entry.features.bits for write in writes]).reshape(-1, BIT_BYTES),
    )
