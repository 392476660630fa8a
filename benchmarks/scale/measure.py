"""One phase of one size in a process of its own; prints one line of JSON.

``python -m benchmarks.scale.measure PHASE ROWS FOLDER SECONDS`` with build, settle, cold, warm,
write, fold or merge as the phase; a build stops after so many seconds.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from imagesearch.catalogue.filter import Filter
from imagesearch.index import Index, Policy, Query, encode
from imagesearch.storage.lean import open_store
from numpy.typing import NDArray

from benchmarks.scale.building import TOP, build, entries_of
from benchmarks.scale.counted import CountedStore
from benchmarks.scale.world import World

COMMON, RARE = 0, 21
"""A large category and a small one."""
ADDS = 50
WRITES = 500
"""Pictures of the batch that is folded: half of them are there already."""
WAYS: dict[str, dict[str, Any]] = {
    "": {},
    "_common": {"category_id": COMMON},
    "_rare": {"category_id": RARE},
    "_filtered": {"filter": Filter.parse("int_attr < 10")},
    "_half": {"filter": Filter.parse("int_attr < 500")},
    "_distinct": {"distinct_product": True},
    "_threshold": {"score_threshold": 0.9},
}
COUNTS = (1024, 4096, 16384)
"""Nearest codes that are compared, in place of those that are by default."""
_POLICY = Policy()
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Bench:
    """The index of one size, what its store is asked, and where files lie."""

    rows: int
    folder: Path
    store: CountedStore
    seconds: float

    @property
    def cache(self) -> Path:
        """Return the folder of the index's files, `/tmp` of a function."""
        return self.folder / "cache"

    def index(self, policy: Policy = _POLICY) -> Index:
        """Return the index as a new process finds it."""
        policy = replace(policy, graph_rows=int(os.environ["BENCHMARK_GRAPH_ROWS"]) or None)
        prefix = f"{self.folder.name}/"
        return Index(self.store, prefix, model="benchmark", cache=self.cache, policy=policy)

    @contextmanager
    def measuring(self, into: dict[str, Any], name: str) -> Iterator[None]:
        """Note requests, bytes, wall and processor time of a piece of work."""
        self.store.start_over()
        began, cpu = time.perf_counter(), time.process_time()
        yield
        into[f"{name}_ms"] = (time.perf_counter() - began) * 1e3
        into[f"{name}_cpu_ms"] = (time.process_time() - cpu) * 1e3
        figures = self.store.requests.figures()
        into |= {f"{name}_{what}": figure for what, figure in figures.items()}


def building(bench: Bench) -> dict[str, Any]:
    """Add all pictures, or as many as there is time for."""
    until = time.monotonic() + bench.seconds
    figures = build(bench.index(), bench.rows, bench.folder, until=until)
    return figures | {"build_peak_mb": _peak_mb()}


def settle(bench: Bench) -> dict[str, Any]:
    """Forget the operations of the build, as an index has a few minutes after it."""
    index = bench.index(Policy(settle_after=0.0))
    for _ in range(2):
        index.maintain()
    return {"listed": len(index.snapshot().operations)}


def cold(bench: Bench) -> dict[str, Any]:
    """Answer one query with nothing at hand but the interpreter and what it has imported."""
    figures: dict[str, Any] = {"imports_cpu_ms": time.process_time() * 1e3}
    query = np.load(bench.folder.with_suffix(".npz"))["queries"][0]
    index = bench.index()
    with bench.measuring(figures, "cold"):
        index.snapshot().search(Query(features=encode(query), num=TOP))
    return figures | {"cold_peak_mb": _peak_mb()}


def warm(bench: Bench) -> dict[str, Any]:
    """Answer every query in several ways, the first of them compared with the exact answers."""
    kept = np.load(bench.folder.with_suffix(".npz"))
    queries, answers = kept["queries"], kept["answers"]
    index = _opened(bench, _POLICY)
    figures: dict[str, Any] = {}
    for name, options in WAYS.items():
        _run(index, queries[:5], options)
        took, cpu, found = _run(index, queries, options)
        figures[f"p50_ms{name}"] = statistics.median(took)
        figures[f"p95_ms{name}"] = statistics.quantiles(took, n=20)[-1]
        figures[f"cpu_ms{name}"] = statistics.median(cpu)
        if not options:
            figures["recall"] = _recall(found, answers)
            figures |= _look(bench, index)
            figures |= {f"after_plain_{name}": mb for name, mb in _resident().items()}
    figures |= _resident() | {"peak_mb": _peak_mb(), "cache": _stored(bench.cache)}
    for count in COUNTS:
        policy = Policy(candidates=count, most_candidates=0)
        _, cpu, found = _run(_opened(bench, policy), queries, {})
        figures[f"cpu_ms_{count}"] = statistics.median(cpu)
        figures[f"recall_{count}"] = _recall(found, answers)
    return figures


def _opened(bench: Bench, policy: Policy) -> Index:
    """Return the index with all files at hand."""
    index = bench.index(policy)
    for segment in index.snapshot().view.segments(tables_only=False):
        segment.rows(slice(0, 1))
    return index


def _recall(found: list[list[int]], answers: NDArray[np.int64]) -> float:
    """Return the mean share of the exact answers that were found."""
    pairs = zip(found, answers.tolist(), strict=True)
    return statistics.fmean(len({*some} & {*exact}) / TOP for some, exact in pairs)


def _look(bench: Bench, index: Index) -> dict[str, Any]:
    """Return what it takes to look for newer writes, as every search does first."""
    runs: list[dict[str, Any]] = []
    for _ in range(ADDS):
        runs.append({})
        with bench.measuring(runs[-1], "look"):
            index.snapshot()
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


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


def write(bench: Bench) -> dict[str, Any]:
    """Add pictures one by one, to an index that the process has written to before; then a batch."""
    index = bench.index()
    entries = entries_of(World(bench.rows).chunk(0), range(ADDS + 1))
    index.append(entries[:1], after=index.place())
    runs: list[dict[str, Any]] = []
    for entry in entries[1:]:
        runs.append({})
        with bench.measuring(runs[-1], "add"):
            index.append([entry], after=index.place())
    figures = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    index.fold()
    _append(bench, index, 1)
    return figures


def fold(bench: Bench) -> dict[str, Any]:
    """Fold a batch that :func:`write` left with nothing at hand, then another with all at hand."""
    shutil.rmtree(bench.cache, ignore_errors=True)
    figures: dict[str, Any] = {}
    index = bench.index()
    with bench.measuring(figures, "fold"):
        index.fold()
    figures |= {"fold_peak_mb": _peak_mb(), "fold_tmp": _stored(bench.cache)}
    _append(bench, index, 2)
    with bench.measuring(figures, "refold"):
        index.fold()
    manifest = index.snapshot().view.manifest
    without = len(msgspec.structs.replace(manifest, segments=()).encode())
    return figures | {
        "manifest_bytes": len(manifest.encode()),
        "segment_bytes": (len(manifest.encode()) - without) / len(manifest.segments),
        "dead": sum(manifest.dead.values()),
    }


def _append(bench: Bench, index: Index, number: int) -> None:
    """Write pictures of which half are new."""
    world = World(bench.rows)
    old, half = world.chunk(0), WRITES // 2
    new = replace(old, first=bench.rows + number * WRITES)
    again = entries_of(old, range(number * half, (number + 1) * half))
    index.append(again + entries_of(new, range(half)), after=index.snapshot())


def merge(bench: Bench) -> dict[str, Any]:
    """Rewrite a segment with dead rows, one of the largest, with nothing at hand."""
    figures: dict[str, Any] = {"merge_rows": -1}
    rows = {info.id: info.rows for info in bench.index().snapshot().view.manifest.segments}
    while figures["merge_rows"] < max(rows.values()) / 2:
        shutil.rmtree(bench.cache, ignore_errors=True)
        index = bench.index(Policy(dead_share=0.0))
        with bench.measuring(figures, "merge"):
            merged = index.maintain().merged
        left = {info.id for info in index.snapshot().view.manifest.segments}
        figures["merge_rows"] = sum(rows.pop(name) for name in rows.keys() - left)
        if not merged:
            raise SystemExit("no large segment has dead rows any more: build the index anew")
    return figures | {"merge_peak_mb": _peak_mb()}


def _stored(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _resident() -> dict[str, float]:
    """Return the process's own memory and that of mapped files, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {line.partition(":")[0]: line.split()[1] for line in lines if "Rss" in line}
    return {
        "own_mb": int(found["RssAnon"]) * 1024 / 1e6,
        "mapped_mb": int(found["RssFile"]) * 1024 / 1e6,
    }


PHASES: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "build": building,
    "settle": settle,
    "cold": cold,
    "warm": warm,
    "write": write,
    "fold": fold,
    "merge": merge,
}


def main(arguments: list[str]) -> None:
    """Run one phase and print its figures."""
    phase, rows, folder, seconds = arguments
    Path(folder).mkdir(parents=True, exist_ok=True)
    bucket, endpoint = os.environ["BENCHMARK_BUCKET"], os.environ.get("AWS_ENDPOINT_URL_S3")
    store = CountedStore(open_store(bucket, endpoint=endpoint))
    print(json.dumps(PHASES[phase](Bench(int(rows), Path(folder), store, float(seconds)))))


if __name__ == "__main__":
    main(sys.argv[1:])
