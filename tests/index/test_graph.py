"""Large segments with a graph: same rows, same bytes every time, and answers as good."""

import numpy as np
import pytest
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import CorruptObject
from imagesearch.index import Entry, Features, Index, OfPicture, Policy, Query
from imagesearch.index.features import bits_of
from imagesearch.index.graph import Graph, build_graph

from tests.index.makers import entry, key
from tests.stores import MemoryStore

N = 2000


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    dice = np.random.default_rng(4)
    centres = dice.standard_normal((40, 512))
    near = centres[np.arange(N) % 40] + 0.6 * dice.standard_normal((N, 512))
    scaled = near / np.abs(near).max(axis=1, keepdims=True) * 127
    return np.rint(scaled).astype(np.int8)


@pytest.fixture(scope="module")
def entries(rows: np.ndarray) -> list[Entry]:
    return [
        entry(n, features=Features(row, code), int_attr=n % 40, category=0 if n % 4 else 3)
        for n, (row, code) in enumerate(zip(rows, bits_of(rows), strict=True))
    ]


def stored(entries: list[Entry], **policy: int) -> tuple[MemoryStore, Index]:
    store = MemoryStore()
    index = Index(store, "i/", model="m", policy=Policy(parallel=1, **policy))
    index.create()
    for start in range(0, len(entries), 500):
        index.append(entries[start : start + 500], after=index.snapshot())
    index.fold()
    return store, index


def test_the_same_rows_make_the_same_file_with_the_rows_in_it(rows: np.ndarray) -> None:
    file = build_graph(rows[:300])
    assert build_graph(rows[:300]) == file
    assert file[8 : 8 + 300 * 512] == rows[:300].tobytes()


def test_a_graph_of_other_rows_is_refused(rows: np.ndarray) -> None:
    with pytest.raises(CorruptObject, match="k is not a graph of 301 rows"):
        Graph("k", memoryview(build_graph(rows[:300])), 301)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num": 100},
        {"category_id": 0},
        {"category_id": 3},
        {"filter": Filter.parse("int_attr < 30")},
        {"filter": Filter.parse("int_attr = 7")},
        {"filter": Filter.parse("int_attr != 0 AND int_attr != 1")},
        {"start": 90, "num": 50},
        {"distinct_product": True},
        {"score_threshold": 0.3},
    ],
    ids=str,
)
def test_searches_with_a_graph_agree_with_the_scan(
    entries: list[Entry], options: dict[str, object]
) -> None:
    # All codes are compared exactly where there is no graph.
    graph, flat = (stored(entries, graph_rows=g, candidates=N)[1] for g in (1000, 10_000))
    gone = [OfPicture(key(n)) for n in range(0, N, 40)]
    right = due = 0
    for index in (graph, flat):
        index.append(deletions=gone, after=index.snapshot())
    for number in range(0, 400, 8):
        query = Query(features=entries[number].features, **options)  # type: ignore[arg-type]
        a, b = (index.snapshot().search(query) for index in (graph, flat))
        assert a.total == b.total
        assert len(a.hits) == len(b.hits)
        right += len({h.picture.key for h in a.hits} & {h.picture.key for h in b.hits})
        due += len(b.hits)
    assert right >= 0.99 * due > 0


def test_a_graph_takes_the_place_of_the_rows_and_is_checked_before_it_is_opened(
    entries: list[Entry],
) -> None:
    store, _ = stored(entries, graph_rows=1000)
    files = {key.rpartition(".")[2]: key for key in store.keys("i/seg/")}
    assert sorted(files) == ["b1", "meta", "usearch"]
    body = bytearray(store.body(files["usearch"]))
    for place in range(8 + N * 512, len(body), 97):
        body[place] ^= 0xFF
    store.damage(files["usearch"], bytes(body))
    with pytest.raises(CorruptObject, match=r"\.usearch has altered bytes"):
        Index(store, "i/", model="m").snapshot().search(Query(features=entries[0].features))
