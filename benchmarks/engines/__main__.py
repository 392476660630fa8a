"""What an engine elsewhere costs in time and bytes, beside the index by itself, in one run.

The same pictures are put into an index, handed over to each engine, and searched for by it and
here. Milvus is milvus-lite as a server on this machine, which is not what a cluster is. Of Amazon
S3 Vectors there is only a fake: what counts of it are bytes and requests, not seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from imagesearch.catalogue import OTHER, Attributes, Picture, PictureKey, Region
from imagesearch.catalogue.filter import Filter
from imagesearch.engines import milvus, open_engine
from imagesearch.index import Entry, Index, Query, encode
from imagesearch.index.engine import Engine, HeldRow, Question
from imagesearch.index.log import Version

from benchmarks.index.vectors import TOP, Data, make
from tests.engines.fake_s3vectors import FakeS3Vectors
from tests.engines.packages import WHY_NOT, milvus_server, there
from tests.simulation.bucket import Bucket

__all__ = ["main"]

_BATCH = 500
_FILTER = Filter.parse("int_attr < 10")
"""One picture of a hundred passes."""
_IN_MEMORY = 20_000
"""Pictures up to which Milvus is also asked while it has them in memory only."""


@dataclass(frozen=True, slots=True)
class Searched:
    """Of one way to search: recall of the exact ten, wall and own processor time in ms."""

    recall: float
    median: float
    p95: float
    cpu: float
    filtered_recall: float
    filtered_median: float


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one engine: how it was filled, what it holds, and how it searches."""

    engine: str
    pictures: int
    fill_rows_a_second: float
    fill_cpu_ms_a_row: float
    bytes_a_row: float
    searched: Searched


def main() -> None:
    """Measure, print a table, and the same as one line of JSON."""
    if not there("milvus_lite"):
        raise SystemExit(WHY_NOT)
    os.environ |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in given.rows:
            data = make(Path(folder) / f"data{rows}", rows, given.queries, given.seed)
            found += _measure(data, Path(folder) / f"milvus{rows}")
        sizes = _s3vectors_sizes(Path(folder))
    print(_table(found))
    print(f"S3 Vectors: {sizes['put']:.0f} bytes put a picture, {sizes['hit']:.0f} answered a row.")
    print(json.dumps({"measured": [asdict(one) for one in found], "s3vectors": sizes}))


def _measure(data: Data, folder: Path) -> list[Measured]:
    """Measure the index by itself and with Milvus: just filled, and when all is in its files."""
    folder.mkdir()
    rows = len(data.vectors)
    with milvus_server(folder) as uri:

        def opened(name: str) -> Engine:
            return open_engine(name, uri=uri)

        index = Index(Bucket(lambda: 0), "i/", model="m", cache=folder / "cache", engines=opened)
        _build(index, data)
        found = [Measured("none: the index by itself", rows, 0, 0, 0, _searched(index, data))]
        index.attach("milvus:benchmark")
        began, cpu = time.perf_counter(), _cpu()
        assert index.fill()
        seconds, used = time.perf_counter() - began, _cpu() - cpu
        _say(f"{rows} rows held after {seconds:.0f} s")
        assert index.switch(serving=True)
        filled = rows / seconds, used * 1e3 / rows
        if rows <= _IN_MEMORY:
            now = _searched(index, data)
            found.append(Measured("milvus-lite, just filled", rows, *filled, 0, now))
        milvus.connect(uri, "").flush("benchmark")
        size = sum(path.stat().st_size for path in (folder / "data").rglob("*") if path.is_file())
        then = _searched(index, data)
        found.append(Measured("milvus-lite, flushed", rows, *filled, size / rows, then))
    return found


def _s3vectors_sizes(folder: Path) -> dict[str, float]:
    """Return the bytes that go out for a picture and come back for a row."""
    data = make(folder / "few", _BATCH, 1, 1)
    entries = [_entry(n, data.vectors[n], int(data.tags[n])) for n in range(_BATCH)]
    segment = "000000000001-0123456789abcdef"
    rows = [
        HeldRow(segment, n, Version(1 << 50, n), entry.picture, entry.features.row)
        for n, entry in enumerate(entries)
    ]
    with FakeS3Vectors(throttled_every=0, page=_BATCH) as fake:
        engine = open_engine("s3vectors:vectors/sizes", uri=fake.url, region="us-east-1")
        engine.create()
        engine.fill(rows)
        asked = encode(data.queries[0])
        engine.nearest(Question(features=asked, segments=[segment], wanted=_BATCH))
        sent = dict(fake.requests)
        answer = fake.query_vectors(sent["QueryVectors"])
    return {
        "put": len(json.dumps(sent["PutVectors"])) / _BATCH,
        "hit": len(json.dumps(answer)) / _BATCH,
        "question": float(len(json.dumps(sent["QueryVectors"]))),
    }


def _build(index: Index, data: Data) -> None:
    index.create()
    for start in range(0, len(data.vectors), _BATCH):
        part = range(start, min(start + _BATCH, len(data.vectors)))
        entries = [_entry(n, data.vectors[n], int(data.tags[n])) for n in part]
        index.append(entries, after=index.snapshot())
        if start // _BATCH % 64 == 63:
            index.fold()
    index.fold()


def _entry(number: int, vector: np.ndarray, tag: int) -> Entry:
    key = PictureKey(f"product-{number // 3:08d}", f"picture-{number}.jpg")
    given = Attributes(int_attr=tag, str_attr=f"brand {tag % 50}")
    return Entry(Picture(key, OTHER, Region(0, 640, 0, 480), given), encode(vector))


def _searched(index: Index, data: Data) -> Searched:
    everything = _timed(index, data, None, 1.0)
    some = _timed(index, data, _FILTER, 0.01)
    return Searched(*everything, some[0], some[1])


def _timed(
    index: Index, data: Data, wanted: Filter | None, share: float
) -> tuple[float, float, float, float]:
    """Return recall, median and 95th percentile in ms, and processor ms of a search."""
    answers = data.answers(share)
    snapshot = index.snapshot()
    times, hits = [], 0
    for warm in (True, False):
        began = _cpu()
        for vector, exact in zip(data.queries, answers, strict=True):
            query = Query(features=encode(vector), filter=wanted, num=TOP)
            start = time.perf_counter()
            found = snapshot.search(query).hits
            times.append(time.perf_counter() - start)
            numbers = {int(hit.picture.key.pic_name[8:-4]) for hit in found}
            hits += len(numbers & set(exact.tolist()))
        if warm:
            times, hits = [], 0
    cpu = (_cpu() - began) / len(data.queries)
    median, p95 = np.percentile(times, [50, 95]) * 1e3
    return hits / answers.size, float(median), float(p95), cpu * 1e3


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


_COLUMNS: dict[str, Callable[[Measured], str]] = {
    "pictures": lambda m: f"{m.pictures:,}",
    "engine": lambda m: m.engine,
    "filled, rows a second": lambda m: (
        f"{m.fill_rows_a_second:,.0f}" if m.fill_rows_a_second else "–"
    ),
    "… own CPU ms a row": lambda m: f"{m.fill_cpu_ms_a_row:.2f}" if m.fill_rows_a_second else "–",
    "bytes a picture": lambda m: f"{m.bytes_a_row:,.0f}" if m.bytes_a_row else "–",
    "recall@10": lambda m: f"{m.searched.recall:.3f}",
    "search ms, median": lambda m: f"{m.searched.median:.1f}",
    "95 %": lambda m: f"{m.searched.p95:.1f}",
    "own CPU ms": lambda m: f"{m.searched.cpu:.1f}",
    "filter of 1 %: recall@10": lambda m: f"{m.searched.filtered_recall:.3f}",
    "median ms": lambda m: f"{m.searched.filtered_median:.1f}",
}


def _table(found: list[Measured]) -> str:
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + "---:|" * len(_COLUMNS)]
    lines += ["| " + " | ".join(show(one) for show in _COLUMNS.values()) + " |" for one in found]
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
