"""Building the index of one size as an ingestion does, in parts that may be days apart."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from imagesearch.catalogue import Attributes, Picture, PictureKey, Region
from imagesearch.index import Entry, Index, encode
from numpy.typing import NDArray

from benchmarks.scale.world import Chunk, World

__all__ = ["QUERIES", "TOP", "build", "entries_of"]

QUERIES = 200
TOP = 10
_BATCH = 500
_FOLD_EVERY = 64
Vectors = NDArray[np.float32]
Numbers = NDArray[np.int64]


def build(index: Index, rows: int, folder: Path, *, until: float) -> dict[str, Any]:
    """Add pictures in batches until all are there, or until a moment of the monotonic clock.

    The exact answers are kept for later, and where to go on.
    """
    world = World(rows)
    began = Progress.read(folder, world)
    index.create()
    for number in range(began.chunks, world.chunks):
        chunk = world.chunk(number)
        began.truth.see(chunk)
        before = time.process_time()
        _add(index, chunk)
        began.cpu_s += time.process_time() - before
        began.chunks = number + 1
        began.write(folder)
        if time.monotonic() > until and began.chunks < world.chunks:
            return {"done": False}
    before = time.process_time()
    while index.maintain().more:
        pass
    manifest = index.snapshot().view.manifest
    sizes = [(kind, file.size) for info in manifest.segments for kind, file in info.files.items()]
    return {
        "done": True,
        "build_cpu_s": began.cpu_s + time.process_time() - before,
        "bytes": sum(size for _, size in sizes),
        **{f"bytes_{name}": sum(s for kind, s in sizes if kind == name) for name, _ in sizes},
        "manifest_bytes": len(manifest.encode()),
        "segments": len(manifest.segments),
        "largest_segment": max(info.rows for info in manifest.segments),
    }


def _add(index: Index, chunk: Chunk) -> None:
    for start in range(0, len(chunk), _BATCH):
        rows = range(start, min(start + _BATCH, len(chunk)))
        index.append(entries_of(chunk, rows), after=index.snapshot())
        if (chunk.first + start) // _BATCH % _FOLD_EVERY == _FOLD_EVERY - 1:
            index.maintain()


def entries_of(chunk: Chunk, rows: Sequence[int]) -> list[Entry]:
    """Return some of a chunk's pictures as entries of the index."""
    return [_entry(chunk, i) for i in rows]


def _entry(chunk: Chunk, i: int) -> Entry:
    picture = Picture(
        PictureKey(f"product-{chunk.products[i]}", str(chunk.first + i)),
        int(chunk.categories[i]),
        Region(0, 640, 0, 480),
        Attributes(int_attr=int(chunk.tags[i])),
    )
    return Entry(picture, encode(chunk.vectors[i]))


class Truth:
    """The exact answers in float32, gathered chunk by chunk."""

    def __init__(self, queries: Vectors) -> None:
        self.queries = queries
        self.answers: Numbers = np.zeros((len(queries), TOP), np.int64)
        self.best: Vectors = np.full((len(queries), TOP), -2, np.float32)

    def see(self, chunk: Chunk) -> None:
        """Take account of a chunk."""
        cosines = np.concatenate([self.best, self.queries @ chunk.vectors.T], axis=1)
        own = np.broadcast_to(chunk.first + np.arange(len(chunk)), (len(self.queries), len(chunk)))
        numbers = np.concatenate([self.answers, own], axis=1)
        order = np.argpartition(-cosines, TOP, axis=1)[:, :TOP]
        self.best = np.take_along_axis(cosines, order, axis=1)
        self.answers = np.take_along_axis(numbers, order, axis=1)


class Progress:
    """How far a build has come: chunks added, processor seconds spent, exact answers so far."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.chunks = 0
        self.cpu_s = 0.0

    @classmethod
    def read(cls, folder: Path, world: World) -> Progress:
        """Return where an earlier process stopped, or a beginning."""
        found = cls(Truth(world.queries(QUERIES)))
        if folder.with_suffix(".json").exists():
            kept = json.loads(folder.with_suffix(".json").read_text())
            found.chunks, found.cpu_s = kept["chunks"], kept["cpu_s"]
            arrays = np.load(folder.with_suffix(".npz"))
            found.truth.answers, found.truth.best = arrays["answers"], arrays["best"]
        return found

    def write(self, folder: Path) -> None:
        """Note it down beside the folder."""
        truth = self.truth
        np.savez(
            folder.with_suffix(".npz"),
            queries=truth.queries, answers=truth.answers, best=truth.best,
        )  # fmt: skip
        noted = {"chunks": self.chunks, "cpu_s": self.cpu_s}
        folder.with_suffix(".json").write_text(json.dumps(noted))
