"""Searches agree with a brute-force search through all pictures, wherever they are stored."""

from collections.abc import Iterable

import numpy as np
import pytest
from imagesearch.catalogue import OTHER, PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.index import Entry, Hit, Index, OfPicture, OfProduct, Policy, Query, likeness
from imagesearch.index.scan import dot_products
from numpy.typing import NDArray

from tests.index.makers import entry, key, look
from tests.stores import MemoryStore

CATEGORIES = (0, 3, OTHER)


def catalogue() -> list[Entry]:
    return [
        entry(
            n // 3,
            n % 3,
            features=look(n % 7, 0.02 * (n % 11)),
            category=CATEGORIES[n % 3 if n % 2 else 0],
            int_attr=n % 10,
            str_attr=None if n % 5 == 0 else f"colour {n % 4}",
        )
        for n in range(240)
    ]


def brute(entries: Iterable[Entry], query: Query) -> tuple[list[Hit], int]:
    found = [
        Hit(e.picture, likeness(query.features, e.features))
        for e in entries
        if query.category_id in (None, e.picture.category_id)
        and (query.filter is None or query.filter.matches(e.picture.attributes))
    ]
    found = [hit for hit in found if hit.likeness.score >= query.score_threshold]
    found.sort(key=lambda hit: (-hit.likeness.relevance, hit.picture.key))
    if query.distinct_product:
        first: dict[object, Hit] = {}
        for hit in found:
            picture = hit.picture
            value = getattr(picture.attributes, query.distinct_by, picture.key.product_id)
            first.setdefault(picture.key if value is None else value, hit)
        found = list(first.values())
    return found[query.start : query.start + query.num], len(found)


@pytest.fixture(scope="module", params=["log", "one segment", "segments and log"])
def stored(request: pytest.FixtureRequest) -> tuple[Index, list[Entry]]:
    """The same pictures in the log, in one segment, or in three segments with dead rows."""
    index = Index(MemoryStore(), "i/", model="m", policy=Policy(parallel=1, candidates=32))
    index.create()
    entries = catalogue()
    if request.param != "segments and log":
        index.append(entries, after=index.snapshot())
        if request.param == "one segment":
            index.fold()
        return index, entries
    for part in range(4):
        wrong = [entry(*e.picture.key, seed=99) for e in entries[part * 60 + 30 :][:50]]
        index.append(wrong, after=index.snapshot())
        index.append(entries[part * 60 :][:60], after=index.snapshot())
        if part < 3:
            index.fold()
    gone = [OfPicture(key(0, 1)), OfProduct("5"), OfProduct("79")]
    index.append(deletions=gone, after=index.snapshot())
    hidden = {key(0, 1)} | {key(p, n) for p in (5, 79) for n in range(3)}
    return index, [e for e in entries if e.picture.key not in hidden]


QUERIES = [
    {},
    {"num": 100},
    {"start": 7, "num": 20},
    {"start": 235, "num": 20},
    {"start": 400},
    {"category_id": 3, "num": 50},
    {"category_id": 22},
    {"filter": Filter.parse("int_attr < 3"), "num": 40},
    {"filter": Filter.parse('int_attr = 1 AND str_attr = "colour 1"')},
    {"filter": Filter.parse("int_attr = 77")},
    {"filter": Filter.parse('str_attr != "colour 0"'), "category_id": 0, "num": 100},
    {"score_threshold": 0.95, "num": 30},
    {"score_threshold": 1.0, "num": 100},
    {"distinct_product": True, "num": 30},
    {"distinct_product": True, "start": 20, "num": 70},
    {"distinct_product": True, "score_threshold": 0.5, "num": 100},
    {"distinct_product": True, "filter": Filter.parse("int_attr in (1, 2, 3)"), "num": 100},
    {"distinct_product": True, "distinct_by": "str_attr", "num": 100},
    {"distinct_product": True, "distinct_by": "str_attr", "category_id": 3, "start": 2},
    {"distinct_product": True, "distinct_by": "str_attr", "score_threshold": 0.9},
    {"distinct_product": True, "distinct_by": "str_attr3", "num": 100},
]


@pytest.mark.parametrize("options", QUERIES, ids=lambda o: ",".join(o) or "plain")
@pytest.mark.parametrize("seed", [0, 3])
def test_a_search_gives_what_brute_force_gives(
    stored: tuple[Index, list[Entry]], options: dict[str, object], seed: int
) -> None:
    index, entries = stored
    query = Query(features=look(seed), **options)  # type: ignore[arg-type]
    hits, total = brute(entries, query)
    answer = index.snapshot().search(query)
    assert answer.total == total
    assert [(h.picture.key, h.likeness.hamming) for h in answer.hits] == [
        (h.picture.key, h.likeness.hamming) for h in hits
    ]
    assert list(answer.hits) == hits


def test_pages_follow_each_other_without_a_gap_or_a_repeat(
    stored: tuple[Index, list[Entry]],
) -> None:
    index, entries = stored
    for distinct in (False, True):
        found: list[PictureKey] = []
        for start in range(0, 500, 7):
            query = Query(features=look(2), start=start, num=7, distinct_product=distinct)
            found += [hit.picture.key for hit in index.snapshot().search(query).hits]
        whole = Query(features=look(2), num=500, distinct_product=distinct)
        assert found == [hit.picture.key for hit in brute(entries, whole)[0]]


def test_listing_is_in_the_order_of_keys_and_goes_on_after_any_key(
    stored: tuple[Index, list[Entry]],
) -> None:
    index, entries = stored
    pictures = sorted((e.picture for e in entries), key=lambda p: p.key)
    selected = Filter.parse("int_attr > 4")
    for chosen, expected in (
        (None, pictures),
        (selected, [p for p in pictures if selected.matches(p.attributes)]),
    ):
        listed = []
        after = None
        while page := index.snapshot().matching(chosen, after=after, limit=13):
            listed += page
            after = page[-1].key
        assert listed == expected
        assert (
            index.snapshot().matching(chosen, after=key("40", "zz"), limit=5)
            == [p for p in expected if p.key > key("40", "zz")][:5]
        )


def test_counts_and_look_ups_agree(stored: tuple[Index, list[Entry]]) -> None:
    index, entries = stored
    snapshot = index.snapshot()
    assert snapshot.pictures == len(entries)
    assert snapshot.products == len({e.picture.key.product_id for e in entries})
    for e in entries:
        assert snapshot.find(e.picture.key) == e
    for product in ("0", "5", "40", "none"):
        keys = sorted(e.picture.key for e in entries if e.picture.key.product_id == product)
        assert snapshot.of_product(product) == keys
    for missing in (key(5, 1), key("none")):
        assert (snapshot.find(missing) is None) == (missing not in {e.picture.key for e in entries})


@pytest.mark.parametrize("folds", [1, 3])
@pytest.mark.parametrize("category_id", [None, OTHER])
def test_only_the_nearest_codes_are_compared(
    folds: int, category_id: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index(MemoryStore(), "i/", model="m", policy=Policy(parallel=1, candidates=600))
    index.create()
    for part in range(3):
        entries = [entry(n, part, seed=500 * part + n) for n in range(500)]
        index.append(entries, after=index.snapshot())
        if folds == 3 or part == 2:
            index.fold()
    snapshot = index.snapshot()
    assert len(snapshot.view.segments()) == folds
    compared: list[int] = []

    def counted(row: NDArray[np.int8], rows: NDArray[np.int8]) -> NDArray[np.float64]:
        compared.append(len(rows))
        return dot_products(row, rows)

    monkeypatch.setattr("imagesearch.index.search.dot_products", counted)
    found = snapshot.search(Query(features=look(7), category_id=category_id))
    assert found.total == 1500
    assert found.hits[0].picture.key == key(7, 0)
    assert 600 <= sum(compared) < 900


def test_of_more_rows_more_of_the_nearest_codes_are_compared() -> None:
    policy = Policy()
    assert policy.candidates_among(100_000) == 1024
    assert policy.candidates_among(1_000_000) == 7812
    assert policy.candidates_among(10**9) == 16_384


def test_a_share_of_what_passes_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Policy(parallel=1, candidates=1, candidates_one_in=2)
    index = Index(MemoryStore(), "i/", model="m", policy=policy)
    index.create()
    for part in range(3):
        index.append([entry(n, part) for n in range(500)], after=index.snapshot())
    index.fold()
    compared: list[int] = []

    def counted(row: NDArray[np.int8], rows: NDArray[np.int8]) -> NDArray[np.float64]:
        compared.append(len(rows))
        return dot_products(row, rows)

    monkeypatch.setattr("imagesearch.index.search.dot_products", counted)
    index.snapshot().search(Query(features=look(7)))
    assert 750 <= sum(compared) < 900
