"""Facets: exact counts over segments and tail, hidden rows left out, as a dict would count."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from imagesearch.catalogue.filter import Filter
from imagesearch.index import Index, OfProduct
from imagesearch.index.facets import Facet

from tests.index.makers import entry, look
from tests.simulation.bucket import Bucket

LOOK = look(1)


def index_of() -> Index:
    index = Index(Bucket(), "index/i/", model="m")
    index.create()
    return index


def test_values_are_counted_most_frequent_first_and_the_rest_is_told() -> None:
    index = index_of()
    colours = ["red"] * 3 + ["blue"] * 3 + ["green"] + [None]
    pictures = [
        entry(n, features=LOOK, category=n % 2, str_attr=colour, int_attr=7)
        for n, colour in enumerate(colours)
    ]
    index.append(pictures, after=index.snapshot())
    found = index.snapshot().facets(["category_id", "str_attr", "int_attr2"], limit=2)
    assert found["category_id"] == Facet(((0, 4), (1, 4)), 0, 0)
    assert found["str_attr"] == Facet((("blue", 3), ("red", 3)), 1, 1)
    assert found["int_attr2"] == Facet((), 0, 8)


def test_category_and_filter_restrict_what_is_counted() -> None:
    index = index_of()
    pictures = [entry(n, features=LOOK, category=n % 3, int_attr=n) for n in range(9)]
    index.append(pictures, after=index.snapshot())
    chosen = Filter.parse("int_attr >= 3")
    found = index.snapshot().facets(["category_id", "int_attr"], category_id=1, filter=chosen)
    assert found["category_id"] == Facet(((1, 2),), 0, 0)
    assert found["int_attr"].counts == ((4, 1), (7, 1))


WRITE = st.tuples(
    st.integers(0, 5), st.integers(0, 2), st.sampled_from([None, "a", "b", "ä"]), st.booleans()
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(WRITE, max_size=6), max_size=5), st.integers(0, 5))
def test_counts_are_those_of_the_pictures_that_stand(
    batches: list[list[tuple[int, int, str | None, bool]]], deleted: int
) -> None:
    index = index_of()
    standing: dict[int, tuple[int, str | None]] = {}
    for number, batch in enumerate(batches):
        added = [
            entry(product, features=LOOK, category=category, str_attr=text)
            for product, category, text, _ in batch
        ]
        index.append(added, after=index.snapshot())
        standing |= {product: (category, text) for product, category, text, _ in batch}
        if number == 1:
            index.append(deletions=[OfProduct(str(deleted))], after=index.snapshot())
            standing.pop(deleted, None)
        if any(fold for *_, fold in batch):
            index.fold()
    found = index.snapshot().facets(["category_id", "str_attr"])
    categories = Counter(category for category, _ in standing.values())
    texts = Counter(text for _, text in standing.values() if text is not None)
    assert dict(found["category_id"].counts) == categories
    assert dict(found["str_attr"].counts) == texts
    assert found["str_attr"].missing == len(standing) - texts.total()
