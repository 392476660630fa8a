"""One phase of one engine in a process of its own; prints one line of JSON.

``python -m benchmarks.index.measure ENGINE build|cold|warm|fresh DATA FOLDER``
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.engine import Engine, Unsupported
from benchmarks.index.vectors import SHARES, TAGS, TOP, Data

FRESH = 5
"""Pictures that the fresh phase adds, one by one."""


def engine_of(name: str) -> type[Engine]:
    """Return the engine of this name; only what it needs is imported."""
    if name == "ours":
        from benchmarks.index.ours import Ours

        return Ours
    if name == "ours, snapshot kept":
        from benchmarks.index.kept import Kept

        return Kept
    from benchmarks.index.peers import PEERS

    return next(peer for peer in PEERS if peer.name == name)


def build(engine: Engine, data: Data, _folder: Path) -> dict[str, Any]:
    """Index everything."""
    wall, cpu = time.perf_counter(), time.process_time()
    engine.build(data.vectors, data.tags)
    return {
        "build_s": time.perf_counter() - wall,
        "build_cpu_s": time.process_time() - cpu,
        "bytes": engine.bytes(),
        "build_peak_mb": _peak_mb(),
    }


def cold(engine: Engine, data: Data, folder: Path) -> dict[str, Any]:
    """Open and answer one query; if the data are remote, read them there or fetch them first."""
    remote = bool(os.environ.get("BENCHMARK_FETCH"))
    fetched = remote and not getattr(engine, "reads_store", False)
    for module in (*engine.modules, *(("boto3",) if fetched else ())):
        importlib.import_module(module)
    started = {"started_ms": _age() * 1e3, "started_cpu_ms": time.process_time() * 1e3}
    if fetched:
        _fetch(folder)
    elif remote:
        engine.in_store = True  # type: ignore[attr-defined]
    engine.open()
    engine.search(data.queries[0], TOP)
    return started | {"peak_mb": _peak_mb()}


def warm(engine: Engine, data: Data, _folder: Path) -> dict[str, Any]:
    """Answer every query, without a filter and with each."""
    before = _resident_mb()
    engine.open()
    engine.settle()
    for query in data.queries[:5]:
        engine.search(query, TOP)
    figures = _answered(lambda query: engine.search(query, TOP), data, 1.0)
    result: dict[str, Any] = dict(figures)
    for share in SHARES:
        below = round(share * TAGS)
        try:
            found = _answered(lambda query, b=below: engine.search(query, TOP, b), data, share)
        except Unsupported as reason:
            result["no_filter"] = str(reason)
            break
        result |= {f"{name}_{share:g}": value for name, value in found.items()}
    return result | {"memory_mb": _resident_mb() - before, "peak_mb": _peak_mb()}


def fresh(engine: Engine, data: Data, _folder: Path) -> dict[str, Any]:
    """Add pictures one by one, each until a reader finds it."""
    engine.open()
    added, found = [], []
    for step in range(FRESH + 1):
        vector = data.queries[step]
        number = len(data.vectors) + step
        begin = time.perf_counter()
        engine.add(number, vector)
        durable = time.perf_counter()
        while engine.find_fresh(vector) != number:
            if time.perf_counter() - begin > 60:
                raise RuntimeError("an added vector was not found within a minute")
        if step:  # the first one pays for imports and connections
            added.append((durable - begin) * 1e3)
            found.append((time.perf_counter() - begin) * 1e3)
    return {"add_ms": statistics.median(added), "visible_ms": statistics.median(found)}


PHASES: dict[str, Callable[[Engine, Data, Path], dict[str, Any]]] = {
    "build": build,
    "cold": cold,
    "warm": warm,
    "fresh": fresh,
}


def _answered(
    search: Callable[[NDArray[np.float32]], NDArray[np.int64]], data: Data, share: float
) -> dict[str, float]:
    """Return median and 95th percentile latency, median CPU time, and recall."""
    times, work, right = [], [], 0
    answers = data.answers(share)
    for query, answer in zip(data.queries, answers, strict=True):
        begin, cpu = time.perf_counter(), time.process_time()
        found = search(query)
        times.append((time.perf_counter() - begin) * 1e3)
        work.append((time.process_time() - cpu) * 1e3)
        right += len(set(found.tolist()) & set(answer.tolist()))
    return {
        "p50_ms": float(np.percentile(times, 50)),
        "p95_ms": float(np.percentile(times, 95)),
        "cpu_ms": float(np.percentile(work, 50)),
        "recall": right / answers.size,
    }


def _fetch(folder: Path) -> None:
    """Download what was uploaded of the folder, as a cold function would have to."""
    from concurrent.futures import ThreadPoolExecutor

    from benchmarks.index.store import client

    s3, bucket = client(), os.environ["BENCHMARK_BUCKET"]
    shutil.rmtree(folder, ignore_errors=True)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{folder.name}/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]

    def download(key: str) -> None:
        file = folder.parent / key
        file.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(file))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(download, keys))


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _age() -> float:
    """Return the seconds since this process began, to a hundredth."""
    began = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began / os.sysconf("SC_CLK_TCK")


def main(arguments: list[str]) -> None:
    """Run one phase and print its figures; time counts from the start of the interpreter."""
    name, phase, data, folder = arguments
    figures = PHASES[phase](engine_of(name)(Path(folder)), Data(Path(data)), Path(folder))
    figures[f"{phase}_ms"] = _age() * 1e3
    figures[f"{phase}_cpu_ms"] = time.process_time() * 1e3
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1:])
