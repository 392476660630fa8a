"""One phase of one size in a process of its own; prints one line of JSON.

``python -m benchmarks.scale.measure build|warm|cold ROWS FOLDER``
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from imagesearch.catalogue import Attributes, Picture, PictureKey, Region
from imagesearch.catalogue.filter import Filter
from imagesearch.index import Entry, Index, Policy, Query, encode
from imagesearch.storage.lean import open_store
from numpy.typing import NDArray

from benchmarks.scale.world import Chunk, World

QUERIES = 200
TOP = 10
COMMON, RARE = 0, 21
"""A large category and a small one."""
_BATCH = 500
_FOLD_EVERY = 64
Vectors = NDArray[np.float32]
Numbers = NDArray[np.int64]


def build(index: Index, rows: int, folder: Path) -> dict[str, Any]:
    """Add all pictures in batches, as an ingestion does; keep the exact answers for later."""
    index.create()
    world = World(rows)
    truth = Truth(world.queries(QUERIES))
    spent = 0.0
    for number in range(world.chunks):
        chunk = world.chunk(number)
        truth.see(chunk)
        began = time.process_time()
        for start in range(0, len(chunk), _BATCH):
            entries = [_entry(chunk, i) for i in range(start, min(start + _BATCH, len(chunk)))]
            index.append(entries, after=index.snapshot())
            if (chunk.first + start) // _BATCH % _FOLD_EVERY == _FOLD_EVERY - 1:
                index.maintain()
        spent += time.process_time() - began
    began = time.process_time()
    while index.maintain().more:
        pass
    np.savez(folder.with_suffix(".npz"), queries=truth.queries, answers=truth.answers)
    manifest = index.snapshot().view.manifest
    stored = sum(file.size for info in manifest.segments for file in info.files.values())
    return {
        "build_cpu_s": spent + time.process_time() - began,
        "build_peak_mb": _peak_mb(),
        "bytes": stored,
        "segments": len(manifest.segments),
    }


def cold(index: Index, _rows: int, folder: Path) -> dict[str, Any]:
    """Answer one query with nothing at hand but the interpreter and what it has imported."""
    query = np.load(folder.with_suffix(".npz"))["queries"][0]
    began, cpu = time.perf_counter(), time.process_time()
    index.snapshot().search(Query(features=encode(query), num=TOP))
    return {
        "imports_cpu_ms": cpu * 1e3,
        "cold_ms": (time.perf_counter() - began) * 1e3,
        "cold_cpu_ms": (time.process_time() - cpu) * 1e3,
        "fetched": _stored(folder / "cache"),
        "cold_peak_mb": _peak_mb(),
    }


def warm(index: Index, _rows: int, folder: Path) -> dict[str, Any]:
    """Answer every query in several ways, the first of them compared with the exact answers."""
    kept = np.load(folder.with_suffix(".npz"))
    queries, answers = kept["queries"], kept["answers"]
    for segment in index.snapshot().view.segments(tables_only=False):
        segment.rows(slice(0, 1))
    ways: dict[str, dict[str, Any]] = {
        "": {},
        "_common": {"category_id": COMMON},
        "_rare": {"category_id": RARE},
        "_filtered": {"filter": Filter.parse("int_attr < 10")},
        "_distinct": {"distinct_product": True},
        "_threshold": {"score_threshold": 0.9},
    }
    figures: dict[str, Any] = {}
    for name, options in ways.items():
        _run(index, queries[:5], options)
        took, cpu, found = _run(index, queries, options)
        figures[f"p50_ms{name}"] = statistics.median(took)
        figures[f"p95_ms{name}"] = statistics.quantiles(took, n=20)[-1]
        figures[f"cpu_ms{name}"] = statistics.median(cpu)
        if not options:
            shares = [len({*f} & {*a}) / TOP for f, a in zip(found, answers.tolist(), strict=True)]
            figures["recall"] = statistics.fmean(shares)
    return figures | {"peak_mb": _peak_mb(), "cache": _stored(folder / "cache")}


def _run(
    index: Index, queries: Vectors, options: dict[str, Any]
) -> tuple[list[float], list[float], list[list[int]]]:
    """Return each search's milliseconds, those of the processor, and the pictures found."""
    took, cpu, found = [], [], []
    snapshot = index.snapshot()
    for vector in queries:
        began = time.perf_counter(), time.process_time()
        answer = snapshot.search(Query(features=encode(vector), num=TOP, **options))
        took.append((time.perf_counter() - began[0]) * 1e3)
        cpu.append((time.process_time() - began[1]) * 1e3)
        found.append([int(hit.picture.key.pic_name) for hit in answer.hits])
    return took, cpu, found


class Truth:
    """The exact answers in float32, gathered chunk by chunk."""

    def __init__(self, queries: Vectors) -> None:
        self.queries = queries
        self.answers: Numbers = np.zeros((len(queries), TOP), np.int64)
        self._best = np.full((len(queries), TOP), -2, np.float32)

    def see(self, chunk: Chunk) -> None:
        """Take account of a chunk."""
        cosines = np.concatenate([self._best, self.queries @ chunk.vectors.T], axis=1)
        own = np.broadcast_to(chunk.first + np.arange(len(chunk)), (len(self.queries), len(chunk)))
        numbers = np.concatenate([self.answers, own], axis=1)
        order = np.argpartition(-cosines, TOP, axis=1)[:, :TOP]
        self._best = np.take_along_axis(cosines, order, axis=1)
        self.answers = np.take_along_axis(numbers, order, axis=1)


def _entry(chunk: Chunk, i: int) -> Entry:
    picture = Picture(
        PictureKey(f"product-{chunk.products[i]}", str(chunk.first + i)),
        int(chunk.categories[i]),
        Region(0, 640, 0, 480),
        Attributes(int_attr=int(chunk.tags[i])),
    )
    return Entry(picture, encode(chunk.vectors[i]))


def _stored(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


PHASES: dict[str, Callable[[Index, int, Path], dict[str, Any]]] = {
    "build": build,
    "cold": cold,
    "warm": warm,
}


def main(arguments: list[str]) -> None:
    """Run one phase and print its figures."""
    phase, rows, folder = arguments[0], int(arguments[1]), Path(arguments[2])
    folder.mkdir(parents=True, exist_ok=True)
    store = open_store(
        os.environ["BENCHMARK_BUCKET"], endpoint=os.environ.get("AWS_ENDPOINT_URL_S3")
    )
    policy = Policy(graph_rows=int(os.environ["BENCHMARK_GRAPH_ROWS"]) or None)
    index = Index(
        store, f"{folder.name}/", model="benchmark", cache=folder / "cache", policy=policy
    )
    print(json.dumps(PHASES[phase](index, rows, folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
