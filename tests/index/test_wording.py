"""Finding by words is the same whatever part of the index holds a picture, and counts right."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imagesearch.catalogue import OTHER
from imagesearch.catalogue.filter import Filter
from imagesearch.index import (
    Entry,
    Index,
    OfPicture,
    Policy,
    encode_meaning,
)
from imagesearch.index.wording import WordedQuery, Wording

from tests.index.makers import entry, key, vector
from tests.stores import MemoryStore

TERMS = ["red", "shoe", "dog"]
DOG, SHOE = 207, 770


def said(text: str) -> int:
    return sum(1 << place for place, term in enumerate(TERMS) if term in text.split())


def wording() -> Wording:
    classes = np.zeros(1000, np.uint64)
    classes[DOG], classes[SHOE] = said("dog"), said("shoe")
    return Wording(len(TERMS), said, classes, {4: said("shoe")})


def query(**fields: object) -> WordedQuery:
    return WordedQuery(wording=wording(), **fields)  # type: ignore[arg-type]


def known(
    product: object,
    name: object = "a",
    *,
    classes: tuple[int, ...] = (),
    mean: int | None = None,
    category: int = OTHER,
    **attributes: str | int,
) -> Entry:
    bare = entry(product, name, category=category, **attributes)
    meaning = None if mean is None else encode_meaning(vector(mean))
    return Entry(replace(bare.picture, classes=classes), bare.features, meaning)


@pytest.fixture
def index() -> Index:
    made = Index(MemoryStore(), "i/", model="m", policy=Policy(parallel=1))
    made.create()
    return made


def put(index: Index, *entries: Entry) -> None:
    index.append(entries, after=index.snapshot())


def found(index: Index, **fields: object) -> dict[str, float]:
    answer = index.snapshot().search_words(query(**fields))
    return {hit.picture.key.product_id: round(hit.score, 4) for hit in answer.hits}


def weight(having: int, everything: int) -> float:
    return math.log1p(everything / (1 + having))


@pytest.mark.parametrize("folded", [False, True])
def test_own_words_count_whole_and_seen_ones_half(index: Index, folded: bool) -> None:
    put(
        index,
        known("content", custom_content="a red thing"),
        known("attribute", str_attr3="shoe"),
        known("class", classes=(3, DOG)),
        known("category", category=4),
        known("both", classes=(SHOE,), str_attr="shoe red"),
        known("nothing", str_attr="blue", classes=(1, 2, 3)),
    )
    if folded:
        index.fold()
    red, shoe, dog = weight(2, 6), weight(3, 6), weight(1, 6)
    total = red + shoe + dog
    assert found(index) == {
        "both": round((red + shoe) / total, 4),
        "content": round(red / total, 4),
        "attribute": round(shoe / total, 4),
        "class": round(dog / 2 / total, 4),
        "category": round(shoe / 2 / total, 4),
    }


@pytest.mark.parametrize("folded", [False, True])
def test_meaning_adds_to_words(index: Index, folded: bool) -> None:
    put(
        index,
        known("worded", str_attr="red shoe dog", mean=5),
        known("meant", mean=1),
        known("both", str_attr="red", mean=1),
        known("lacking", str_attr="red"),
        known("other", mean=2),
    )
    if folded:
        index.fold()
    answer = index.snapshot().search_words(query(meaning=encode_meaning(vector(1))))
    hits = {hit.picture.key.product_id: hit for hit in answer.hits}
    assert hits["worded"].score == pytest.approx(1)
    assert hits["meant"].cosine == pytest.approx(1, abs=1e-3)
    assert hits["meant"].words == 0
    assert hits["lacking"].cosine is None
    assert hits["lacking"].score == hits["lacking"].words
    both = hits["both"]
    assert both.cosine is not None
    assert both.score == pytest.approx(1 - (1 - both.words) * (1 - both.cosine))
    assert "other" not in hits  # neither a word nor near enough


def test_without_a_meaning_only_words_are_compared(index: Index) -> None:
    put(index, known("p", mean=1), known("q", mean=1, str_attr="dog"))
    answer = index.snapshot().search_words(query())
    assert [(hit.picture.key.product_id, hit.cosine) for hit in answer.hits] == [("q", None)]


def test_filter_category_threshold_and_paging(index: Index) -> None:
    put(
        index, *(known(n, str_attr="dog", int_attr=n, category=(4, OTHER)[n % 2]) for n in range(8))
    )
    index.fold()
    put(index, *(known(n, str_attr="dog red", int_attr=n) for n in range(8, 11)))
    put(index, known(20, str_attr="dog", int_attr=5))
    assert set(found(index, filter=Filter.parse("int_attr > 8"))) == {"9", "10"}
    assert set(found(index, category_id=4)) == {"0", "2", "4", "6"}
    every = list(found(index, num=100))
    assert every[:3] == ["10", "8", "9"]
    pages = [list(found(index, num=3, start=start)) for start in range(0, 15, 3)]
    assert [product for page in pages for product in page] == every
    assert index.snapshot().search_words(query(num=2)).total == len(every) == 12
    assert all(score >= 0.6 for score in found(index, num=100, score_threshold=0.6).values())
    assert found(index, num=100, score_threshold=0.99) == {}


def test_of_each_product_the_best_picture(index: Index) -> None:
    put(index, known("p", "1", str_attr="dog"), known("p", "2", str_attr="dog red"))
    index.fold()
    put(index, known("p", "3", str_attr="red"), known("q", str_attr="red"))
    answer = index.snapshot().search_words(query(distinct_product=True))
    assert [(h.picture.key.product_id, h.picture.key.pic_name) for h in answer.hits] == [
        ("p", "2"),
        ("q", "a"),
    ]
    assert answer.total == 2


def test_of_each_value_of_an_attribute_the_best_picture(index: Index) -> None:
    put(index, known("p", str_attr="dog", str_attr2="x"), known("q", str_attr="dog red"))
    index.fold()
    put(index, known("r", str_attr="red dog", str_attr2="x"), known("s", str_attr="red"))
    answer = index.snapshot().search_words(query(distinct_product=True, distinct_by="str_attr2"))
    assert {hit.picture.key.product_id for hit in answer.hits} == {"q", "r", "s"}
    assert answer.total == 3


def test_deleted_and_replaced_pictures_are_not_found(index: Index) -> None:
    put(index, known("gone", str_attr="dog"), known("new", str_attr="dog"))
    index.fold()
    index.append([known("new", str_attr="cat")], [OfPicture(key("gone"))], after=index.snapshot())
    assert found(index) == {}


def test_an_empty_index_answers_nothing(index: Index) -> None:
    answer = index.snapshot().search_words(query(meaning=encode_meaning(vector(1))))
    assert (answer.hits, answer.total) == ((), 0)


texts = st.lists(st.sampled_from([*TERMS, "blue"]), max_size=3).map(" ".join)
things = st.tuples(texts, texts, st.sampled_from([(), (DOG,), (1, SHOE), (SHOE, DOG)]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(things, max_size=10), st.integers(0, 10))
def test_scores_are_those_of_the_formula(listed: list[tuple[str, str, tuple]], cut: int) -> None:
    index = Index(MemoryStore(), "i/", model="m", policy=Policy(parallel=1))
    index.create()
    entries = [
        known(n, custom_content=own, str_attr2=attribute, classes=classes)
        for n, (own, attribute, classes) in enumerate(listed)
    ]
    for start, end in ((0, cut), (cut, len(entries))):
        if entries[start:end]:
            put(index, *entries[start:end])
            index.fold()
    names = {DOG: "dog", SHOE: "shoe"}
    rows = [
        (set(f"{own} {other}".split()), {names.get(c, "") for c in classes})
        for own, other, classes in listed
    ]
    weights = {t: weight(sum(t in own | seen for own, seen in rows), len(rows)) for t in TERMS}
    total = sum(weights.values()) or 1
    wanted = {}
    for n, (own, seen) in enumerate(rows):
        value = sum(w * (1 if t in own else 0.5 * (t in seen)) for t, w in weights.items()) / total
        if value:
            wanted[str(n)] = pytest.approx(value, abs=1e-4)
    assert found(index, num=100) == wanted
