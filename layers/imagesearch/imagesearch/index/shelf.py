"""Opened segments and tombstones, kept between calls."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from imagesearch.errors import CorruptObject, NoSuchObject
from imagesearch.index.files import Files
from imagesearch.index.keys import Keys
from imagesearch.index.manifest import Manifest, SegmentInfo
from imagesearch.index.segment import Segment
from imagesearch.index.tombs import Tombs
from imagesearch.storage import ObjectStore

__all__ = ["Shelf"]

_FEW_BYTES = 64 << 20
"""Bytes of rows that a first search waits for."""
_PATIENCE = 0.75
"""Time (s) that a later search waits for rows that the first has not waited for."""


class Shelf:
    """The opened objects of one index; ``cache`` is the folder for its files."""

    def __init__(
        self, store: ObjectStore, keys: Keys, cache: Path | None, *, parallel: int
    ) -> None:
        self._store = store
        self._keys = keys
        self._files = Files(store, cache, parallel=parallel)
        self._segments: dict[str, Segment] = {}
        self._tidied = False
        self._tombs: tuple[str, Tombs] = "", Tombs()
        self._lock = threading.Lock()

    @property
    def downloads(self) -> int:
        """Return how many files had to be fetched from the store so far."""
        return self._files.downloads

    def segment(self, index: str, info: SegmentInfo) -> Segment:
        """Return a segment; its files are fetched and checked when they are first needed."""
        with self._lock:
            if info.id not in self._segments:
                self._segments[info.id] = Segment(index, info, self._files, self._keys)
            return self._segments[info.id]

    def prepare(self, segments: Iterable[Segment], *, tables_only: bool) -> None:
        """Fetch, in parallel, what a look-up or a search in these segments needs first.

        Rows come along unless they are too many to wait for; who comes while they are on their
        way waits a little.
        """
        segments = list(segments)
        if tables_only:
            self._files.fetch(segment.meta for segment in segments)
            return
        absent = sum(segment.looks.info.size for segment in segments if segment.remote)
        wanted = [file for segment in segments for file in (segment.meta, segment.b1)]
        if absent <= _FEW_BYTES or not self._files.persistent:
            wanted += [segment.looks for segment in segments]
        self._files.fetch(wanted)
        self._files.linger((segment.looks for segment in segments), _PATIENCE)

    def prepare_meanings(self, segments: Iterable[Segment]) -> None:
        """Fetch, in parallel, what a search by meaning needs."""
        files = ((segment.meta, segment.m8) for segment in segments)
        self._files.fetch(file for pair in files for file in pair if file)

    def tombs(self, manifest: Manifest) -> Tombs:
        """Return the manifest's tombstones."""
        if not manifest.tombs:
            return Tombs()
        known, tombs = self._tombs
        if known != manifest.tombs:
            key = self._keys.tombs(manifest.tombs)
            try:
                data = self._store.get(key).body
            except NoSuchObject:
                raise CorruptObject(f"{key} is missing.") from None
            tombs = Tombs.decode(key, data, index=manifest.index, id=manifest.tombs)
            self._tombs = manifest.tombs, tombs
        return tombs

    def keep_only(self, manifest: Manifest) -> None:
        """Close the segments that the manifest no longer has."""
        wanted = {info.id: info for info in manifest.segments}
        with self._lock:
            closed = self._segments.keys() - wanted.keys()
            for name in closed:
                del self._segments[name]
        if closed or not self._tidied:
            self._tidied = True
            self._files.keep_only(
                self._keys.segment(info.id, file) for info in wanted.values() for file in info.files
            )
