"""The product's index, in the object store that the environment names.

``AWS_ENDPOINT_URL_S3`` and ``BENCHMARK_BUCKET`` say where, and it is read as the functions read
it. The folder is the cache, empty when an environment starts cold; its name is the index's prefix.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import numpy as np
from imagesearch.catalogue import OTHER, Attributes, Picture, PictureKey, Region
from imagesearch.catalogue.filter import Filter
from imagesearch.index import Entry, Index, Query, encode
from imagesearch.storage.lean import open_store
from numpy.typing import NDArray

__all__ = ["Ours"]

_BATCH = 500
_FOLD_EVERY = 64


class Ours:
    """Sign bits scanned, the nearest 1024 compared in int8."""

    name: ClassVar[str] = "ours"
    settings: ClassVar[str] = "512 sign bits, 1024 compared as int8"
    modules: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path) -> None:
        self._store = open_store(
            os.environ["BENCHMARK_BUCKET"], endpoint=os.environ.get("AWS_ENDPOINT_URL_S3")
        )
        self._prefix = f"{folder.name}/"
        self._index = Index(self._store, self._prefix, model="benchmark", cache=folder / "cache")

    def build(self, vectors: NDArray[np.float32], tags: NDArray[np.int32]) -> None:
        """Add in batches as an ingestion does, folding when the log is long, then tidy up."""
        self._index.create()
        for number, start in enumerate(range(0, len(vectors), _BATCH)):
            batch = range(start, min(start + _BATCH, len(vectors)))
            entries = [_entry(i, vectors[i], int(tags[i])) for i in batch]
            self._index.append(entries, after=self._index.snapshot())
            if number % _FOLD_EVERY == _FOLD_EVERY - 1:
                self._index.maintain()
        while self._index.maintain().more:
            pass

    def open(self) -> None:
        """Do nothing: the first search opens what it needs."""

    def settle(self) -> None:
        """Have all rows fetched, which goes on while the first searches are answered."""
        for segment in self._index.snapshot().view.segments(tables_only=False):
            segment.rows(slice(0, 1))

    def search(
        self, query: NDArray[np.float32], k: int, below: int | None = None
    ) -> NDArray[np.int64]:
        """Search the index as it is now, with both requests that freshness takes."""
        chosen = None if below is None else Filter.parse(f"int_attr < {below}")
        answer = self._index.snapshot().search(Query(features=encode(query), num=k, filter=chosen))
        return np.array([int(hit.picture.key.pic_name) for hit in answer.hits])

    def add(self, number: int, vector: NDArray[np.float32]) -> None:
        """Add one picture."""
        self._index.append([_entry(number, vector, 0)], after=self._index.snapshot())

    def find_fresh(self, query: NDArray[np.float32]) -> int:
        """Search from another environment than the writer's."""
        if not hasattr(self, "_reader"):
            self._reader = Index(self._store, self._prefix, model="benchmark")
        hits = self._reader.snapshot().search(Query(features=encode(query), num=1)).hits
        return int(hits[0].picture.key.pic_name)

    def bytes(self) -> int:
        """Return the bytes of what the index needs, without the settled log and history."""
        manifest = self._index.snapshot().view.manifest
        files = sum(file.size for info in manifest.segments for file in info.files.values())
        return files + self._store.head(f"{self._prefix}MANIFEST").size


def _entry(number: int, vector: NDArray[np.float32], tag: int) -> Entry:
    key = PictureKey(f"product-{number // 3}", str(number))
    picture = Picture(key, OTHER, Region(0, 640, 0, 480), Attributes(int_attr=tag))
    return Entry(picture, encode(vector))
