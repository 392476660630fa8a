"""Opened segments and tombstones, kept between calls; each is checked before its first use."""

from __future__ import annotations

import hashlib
import threading

import numpy as np

from imagesearch.errors import CorruptObject, NoSuchObject
from imagesearch.index.keys import Keys
from imagesearch.index.manifest import FileInfo, Manifest, SegmentInfo
from imagesearch.index.segment import Segment, matrix
from imagesearch.index.table import Table
from imagesearch.index.tombs import Tombs
from imagesearch.storage import ObjectStore

__all__ = ["Shelf"]


class Shelf:
    """The opened objects of one index."""

    def __init__(self, store: ObjectStore, keys: Keys) -> None:
        self._store = store
        self._keys = keys
        self._segments: dict[str, Segment] = {}
        self._tombs: tuple[str, Tombs] = "", Tombs()
        self._lock = threading.Lock()

    def segment(self, index: str, info: SegmentInfo) -> Segment:
        """Return a segment, opened; :class:`CorruptObject` names a file that is not whole."""
        with self._lock:
            if info.id not in self._segments:
                self._segments[info.id] = self._open(index, info)
            return self._segments[info.id]

    def tombs(self, manifest: Manifest) -> Tombs:
        """Return the manifest's tombstones."""
        if not manifest.tombs:
            return Tombs()
        known, tombs = self._tombs
        if known != manifest.tombs:
            key = self._keys.tombs(manifest.tombs)
            data = read(self._store, key)
            tombs = Tombs.decode(key, data, index=manifest.index, id=manifest.tombs)
            self._tombs = manifest.tombs, tombs
        return tombs

    def keep_only(self, manifest: Manifest) -> None:
        """Close the segments that the manifest no longer has."""
        wanted = {info.id for info in manifest.segments}
        with self._lock:
            for closed in self._segments.keys() - wanted:
                del self._segments[closed]

    def _open(self, index: str, info: SegmentInfo) -> Segment:
        files = {name: self._file(info.id, name, file) for name, file in info.files.items()}
        key = {name: self._keys.segment(info.id, name) for name in files}
        table = Table(key["meta"], files["meta"], index=index, segment=info.id)
        return Segment(
            info.id,
            table,
            matrix(key["b1"], files["b1"], info.rows, np.uint8),
            matrix(key["i8"], files["i8"], info.rows, np.int8),
        )

    def _file(self, id: str, name: str, info: FileInfo) -> memoryview:
        key = self._keys.segment(id, name)
        data = read(self._store, key)
        check_file(key, data, info)
        return memoryview(data)


def read(store: ObjectStore, key: str) -> bytes:
    """Return an object that must exist; :class:`CorruptObject` if it does not."""
    try:
        return store.get(key).body
    except NoSuchObject:
        raise CorruptObject(f"{key} is missing.") from None


def check_file(key: str, data: bytes | memoryview, info: FileInfo) -> None:
    """Raise :class:`CorruptObject` unless these are the bytes that the manifest means."""
    if len(data) != info.size:
        raise CorruptObject(f"{key} has {len(data)} bytes where {info.size} are due.")
    if hashlib.sha256(data).hexdigest() != info.sha256:
        raise CorruptObject(f"{key} has altered bytes: its SHA-256 does not match.")
