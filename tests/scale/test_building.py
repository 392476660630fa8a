"""Building and counting: what the figures rest on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from imagesearch.index import Index, Query, encode

from benchmarks.scale import building
from benchmarks.scale.building import TOP, Progress, build
from benchmarks.scale.counted import CountedStore
from benchmarks.scale.world import World
from tests.simulation.bucket import Bucket


def test_a_build_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "QUERIES", 3)
    rows, folder = 20_500, tmp_path / "scale"
    store = Bucket()
    first = build(Index(store, "i/", model="m"), rows, folder, until=0)
    assert first == {"done": False}
    index = Index(store, "i/", model="m")
    second = build(index, rows, folder, until=0)
    assert second["done"]
    assert index.snapshot().pictures == rows
    assert second["bytes_i8"] == 512 * rows
    truth = Progress.read(folder, World(rows)).truth
    vectors = np.concatenate([World(rows).chunk(number).vectors for number in range(2)])
    exact = np.argsort(-(truth.queries @ vectors.T), axis=1)[:, :TOP]
    assert [set(found) for found in truth.answers.tolist()] == [set(e) for e in exact.tolist()]


def test_requests_and_bytes_are_counted_as_s3_does(tmp_path: Path) -> None:
    store = CountedStore(Bucket())
    index = Index(store, "i/", model="m", cache=tmp_path)
    index.create()
    chunk = World(300).chunk(0)
    store.start_over()
    index.append(building.entries_of(chunk, range(300)), after=index.place())
    wrote = store.requests.figures()
    assert (wrote["lists"], wrote["gets"], wrote["puts"]) == (1, 1, 1)
    assert wrote["written"] > 300 * 512
    index.fold()
    index.snapshot()
    store.start_over()
    index.snapshot()
    looked = store.requests.figures()
    assert (looked["lists"], looked["gets"], looked["puts"], looked["read"]) == (1, 1, 0, 0)
    index.snapshot().search(Query(features=encode(chunk.vectors[0])))
    assert store.requests.read >= 300 * (512 + 64)


def test_every_thousand_names_are_a_request() -> None:
    store = CountedStore(Bucket())
    for number in range(1001):
        store.put(f"n/{number:04}", b"")
    store.start_over()
    assert len(list(store.list("n/"))) == 1001
    assert store.requests.figures()["lists"] == 2
