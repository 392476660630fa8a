"""One process of the benchmark of fan-out; prints one line of JSON.

``python -m benchmarks.fanout.measure alone|ask|work|tails ROWS FOLDER [WORKERS|NUMBER]``: search
in one process; search by workers, which are further processes of this program; be one of them,
which reads events as lines and writes answers as lines; make events of longer and longer tails.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import IO, Any

import numpy as np
from imagesearch.catalogue import PictureKey
from imagesearch.index import Index, Policy, Query, Snapshot, Version, encode
from imagesearch.index.fanout import FanOut, Worker
from imagesearch.index.fanout.dealing import deal
from imagesearch.index.fanout.wire import QueryRecord, TailRecord, Task, event_of, task_in
from imagesearch.index.manifest import SegmentInfo
from imagesearch.index.tail import Tail
from imagesearch.index.tombs import Deletions
from imagesearch.storage.lean import open_store

from benchmarks.scale.counted import CountedStore

SEARCHES = 60
ALL = 100
"""Hits for which rows are not read one by one: after such a search all files are at hand."""
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "distinct": {"distinct_product": True},
    "threshold": {"score_threshold": 0.9},
}
FEW_BYTES = 64 << 20
"""Bytes of rows that a first search waits for (index/shelf.py)."""
TAILS = (100, 1_000, 10_000, 30_000)
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bench:
    """The index of one size, and where files lie."""

    rows: int
    folder: Path
    store: CountedStore

    def snapshot(self, cache: str) -> Snapshot:
        """Return the index as it is, for a process whose files are in a folder of its own."""
        folder = self.folder / cache
        shutil.rmtree(folder, ignore_errors=True)
        index = Index(self.store, self.prefix, model="benchmark", cache=folder)
        return index.snapshot()

    @property
    def prefix(self) -> str:
        """Return the index's prefix."""
        return f"{self.folder.name}/"

    def queries(self) -> list[Query]:
        """Return what is searched for."""
        vectors = np.load(self.folder.with_suffix(".npz"))["queries"][:SEARCHES]
        return [Query(features=encode(vector)) for vector in vectors]


@contextmanager
def timed(into: Figures) -> Iterator[None]:
    """Note wall and processor time of a piece of work, in milliseconds."""
    began, cpu = time.perf_counter(), time.process_time()
    yield
    into["ms"] = (time.perf_counter() - began) * 1e3
    into["cpu_ms"] = (time.process_time() - cpu) * 1e3


def alone(bench: Bench) -> Figures:
    """Search in this process: first with nothing at hand, then with everything."""
    snapshot, queries = bench.snapshot("alone"), bench.queries()
    cold: Figures = {}
    bench.store.start_over()
    with timed(cold):
        snapshot.search(queries[0])
    cold |= {"mb": bench.store.requests.read / 1e6, "waited_mb": waited(snapshot.manifest.segments)}
    snapshot.search(replace(queries[0], num=ALL))
    figures: Figures = {"cold": cold}
    for way, options in WAYS.items():
        runs: list[Figures] = []
        for query in queries:
            runs.append({})
            with timed(runs[-1]):
                snapshot.search(replace(query, **options))
        figures[way] = medians(runs)
    return figures | {"peak_mb": peak_mb()}


def work(bench: Bench, number: int) -> None:
    """Be a worker."""
    folder = bench.folder / f"worker-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    worker = Worker(bench.store, folder)
    for line in sys.stdin:
        figures: Figures = {}
        bench.store.start_over()
        with timed(figures):
            answer = json.dumps(worker.answer(json.loads(line)))
        figures |= {"mb": bench.store.requests.read / 1e6, "peak_mb": peak_mb()}
        print(json.dumps({"answer": answer, "figures": figures}), flush=True)


@dataclass(slots=True)
class Crew:
    """Workers, each a process; with ``turn`` one runs at a time, so that none disturbs another."""

    processes: list[subprocess.Popen[str]]
    locks: list[Lock]
    turn: Lock | None = None
    events: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    runs: list[Figures] = field(default_factory=list)

    @classmethod
    def of(cls, bench: Bench, workers: int) -> Crew:
        """Start so many."""
        common = [sys.executable, "-m", "benchmarks.fanout.measure", "work", str(bench.rows)]
        processes = [
            subprocess.Popen(
                [*common, str(bench.folder), str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(workers)
        ]
        return cls(processes, [Lock() for _ in processes])

    def __call__(self, worker: int, event: bytes) -> bytes:
        """Have a worker do what an event says."""
        with self.turn or self.locks[worker]:
            given, taken = self._pipes(worker)
            given.write(event.decode() + "\n")
            given.flush()
            found = json.loads(taken.readline())
        answer: bytes = found["answer"].encode()
        self.events.append(len(event))
        self.answers.append(len(answer))
        self.runs.append(found["figures"])
        return answer

    def drawn(self) -> list[Figures]:
        """Return the figures of the runs since the last time."""
        runs, self.runs = self.runs, []
        return runs

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            process.communicate()

    def _pipes(self, worker: int) -> tuple[IO[str], IO[str]]:
        process = self.processes[worker]
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a worker has no pipes")
        return process.stdin, process.stdout


def ask(bench: Bench, workers: int) -> Figures:
    """Search by workers: first with nothing at hand, one worker at a time; then with everything."""
    snapshot, queries = bench.snapshot("asking"), bench.queries()
    crew = Crew.of(bench, workers)
    crew.turn = Lock()
    ranking = FanOut(prefix=bench.prefix, ask=crew, workers=workers, rows=1, policy=Policy())
    snapshot.search(queries[0], ranking=ranking)
    cold = crew.drawn()
    snapshot.search(replace(queries[0], num=ALL), ranking=ranking)
    crew.drawn()
    shares = deal(snapshot.manifest.segments, workers)
    figures: Figures = {
        "cold": {**slowest(cold), "waited_mb": max(map(waited, shares))},
        "shares": [sum(info.rows for info in share) for share in shares],
    }
    for way, options in WAYS.items():
        figures[way] = _searched(snapshot, ranking, crew, queries, options)
    crew.turn = None
    at_once: list[Figures] = []
    for query in queries:
        at_once.append({})
        with timed(at_once[-1]):
            snapshot.search(query, ranking=ranking)
    peaks = [run["peak_mb"] for run in crew.drawn()]
    crew.close()
    return figures | {"at_once": medians(at_once), "peak_mb": max(peaks)}


def _searched(
    snapshot: Snapshot,
    ranking: FanOut,
    crew: Crew,
    queries: list[Query],
    options: dict[str, Any],
) -> Figures:
    """Return what the slowest worker of each search takes, all together, and the asking process."""
    runs: list[Figures] = []
    crew.events, crew.answers = [], []
    for query in queries:
        own: Figures = {}
        with timed(own):
            snapshot.search(replace(query, **options), ranking=ranking)
        found = crew.drawn()
        together = sum(run["cpu_ms"] for run in found)
        runs.append({**slowest(found), "together_cpu_ms": together, "asking_cpu_ms": own["cpu_ms"]})
    sizes = {"event_bytes": max(crew.events), "answer_bytes": max(crew.answers)}
    return medians(runs) | sizes


def tails(bench: Bench) -> Figures:
    """Make and read the event of one segment and a tail of so many writes."""
    snapshot, query = bench.snapshot("tails"), bench.queries()[0]
    manifest = snapshot.manifest
    figures: Figures = {}
    for count in TAILS:
        keys = (PictureKey(f"product-{n}", str(n)) for n in range(count))
        tail = Tail(deletions=Deletions({key: Version(n, n) for n, key in enumerate(keys)}, {}))
        made: Figures = {}
        with timed(made):
            task = Task(
                1, "i/", manifest.index, "m", manifest.tombs, [*manifest.segments],
                TailRecord.of(tail), QueryRecord.of(query), 1024, 192,
            )  # fmt: skip
            event = event_of(task)
        read: Figures = {}
        with timed(read):
            task_in(json.loads(event)).tail.tail()
        figures[str(count)] = {
            "bytes": len(event), "made_cpu_ms": made["cpu_ms"], "read_cpu_ms": read["cpu_ms"],
        }  # fmt: skip
    return figures


def waited(segments: Sequence[SegmentInfo]) -> float:
    """Return the MB that a first search of segments waits for: rows come along if they are few.

    More may be read meanwhile, for later searches.
    """
    sizes = [(kind, file.size) for info in segments for kind, file in info.files.items()]
    rows = sum(size for kind, size in sizes if kind in {"i8", "usearch"})
    others = sum(size for kind, size in sizes if kind in {"meta", "b1"})
    return (others + (rows if rows <= FEW_BYTES else 0)) / 1e6


def slowest(runs: list[Figures]) -> Figures:
    """Return the most that any worker took, of each figure."""
    return {name: max(run[name] for run in runs) for name in ("ms", "cpu_ms", "mb")}


def medians(runs: list[Figures]) -> Figures:
    """Return the median of each figure."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def peak_mb() -> float:
    """Return the most memory that the process has had, mapped files included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main(arguments: list[str]) -> None:
    """Do one part and print its figures."""
    part, rows, folder, *number = arguments
    Path(folder).mkdir(parents=True, exist_ok=True)
    bucket, endpoint = os.environ["BENCHMARK_BUCKET"], os.environ.get("AWS_ENDPOINT_URL_S3")
    store = CountedStore(open_store(bucket, endpoint=endpoint))
    bench = Bench(int(rows), Path(folder), store)
    if part == "work":
        work(bench, int(number[0]))
    elif part == "ask":
        print(json.dumps(ask(bench, int(number[0]))))
    else:
        print(json.dumps({"alone": alone, "tails": tails}[part](bench)))


if __name__ == "__main__":
    main(sys.argv[1:])
