"""Finding the pictures most like one: codes are scanned, the nearest compared exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Picture, PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.index.block import Block
from imagesearch.index.features import Features, Likeness, relevance, similarity
from imagesearch.index.scan import hamming
from imagesearch.index.view import View, passing

__all__ = ["Answer", "Hit", "Query", "search"]

DEEPEST = 500
"""Results that all pages of a search have together."""
_FEW = 0.25
"""Share of passing rows below which they are gathered before they are scanned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look for.

    ``category_id`` and ``filter`` restrict what is searched; ``score_threshold`` (0 to 1) drops
    what is less alike; ``distinct_product`` keeps the most alike picture of each product. The
    answer has the ``num`` hits from ``start`` on.
    """

    features: Features
    category_id: int | None = None
    filter: Filter | None = None
    num: int = 10
    start: int = 0
    score_threshold: float = 0.0
    distinct_product: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture that was found, and how alike it is."""

    picture: Picture
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits, most alike first and then by key.

    ``total`` counts the pictures (products, if distinct) that pass category, filter and
    threshold, exactly.
    """

    hits: tuple[Hit, ...]
    total: int


@dataclass(frozen=True, slots=True)
class _Field:
    """The rows of one block that may be hits, ascending, and the distance of each."""

    block: Block
    places: NDArray[np.int64]
    distances: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Rows of several blocks with their exact likeness; parallel arrays."""

    blocks: list[Block]
    block: NDArray[np.int64]
    place: NDArray[np.int64]
    distance: NDArray[np.uint16]
    relevance: NDArray[np.float32]
    score: NDArray[np.float64]
    product: NDArray[np.uint64]

    def key(self, i: int) -> PictureKey:
        return self.blocks[int(self.block[i])].key_of(int(self.place[i]))

    def hit(self, i: int) -> Hit:
        picture = self.blocks[int(self.block[i])].picture(int(self.place[i]))
        return Hit(
            picture,
            Likeness(float(self.relevance[i]), int(self.distance[i]), float(self.score[i])),
        )


def search(view: View, query: Query, *, candidates: int) -> Answer:
    """Return the hits of a query in one state of an index.

    At least ``candidates`` of the nearest codes are compared exactly; with a threshold, all that
    pass are. How many are compared does not depend on the page, so that pages fit together.
    """
    fields = list(_fields(view, query))
    if query.score_threshold > 0:
        found = _compared(query, fields)
        kept = np.flatnonzero(found.score >= query.score_threshold)
        total = np.unique(found.product[kept]).size if query.distinct_product else kept.size
        return Answer(_page(found, kept, query), int(total))
    total = _total(fields, query)
    deepest = max(DEEPEST, query.start + query.num)
    wanted = max(candidates, deepest)
    found = _compared(query, _nearest(fields, wanted))
    while query.distinct_product and np.unique(found.product).size < min(deepest, total):
        wanted *= 4
        found = _compared(query, _nearest(fields, wanted))
    return Answer(_page(found, np.arange(found.place.size), query), total)


def _fields(view: View, query: Query) -> Iterator[_Field]:
    for block, hidden in view.blocks(query.category_id, tables_only=False):
        for start, end in _spans(block, query.category_id):
            mask = passing(block, hidden, query.filter, start, end)
            places = np.arange(start, end) if mask is None else start + np.flatnonzero(mask)
            bits = block.bits
            if mask is None:
                distances = hamming(query.features.bits, bits[start:end])
            elif places.size < _FEW * (end - start):
                distances = hamming(query.features.bits, bits[places])
            else:
                distances = hamming(query.features.bits, bits[start:end])[mask]
            yield _Field(block, places, distances)


def _spans(block: Block, category_id: int | None) -> list[tuple[int, int]]:
    if category_id is None:
        return [(0, len(block))]
    return [(run.start, run.end) for run in block.runs if run.category_id == category_id]


def _total(fields: Sequence[_Field], query: Query) -> int:
    if not query.distinct_product:
        return sum(field.places.size for field in fields)
    products = [np.unique(field.block.products(field.places)) for field in fields]
    return int(np.unique(np.concatenate(products)).size) if products else 0


def _nearest(fields: Sequence[_Field], wanted: int) -> list[_Field]:
    """Return the rows with the ``wanted`` smallest distances, and all as near as the last."""
    closest = [
        np.partition(f.distances, wanted - 1)[:wanted] if f.distances.size > wanted else f.distances
        for f in fields
    ]
    together = np.concatenate(closest) if closest else np.zeros(0, np.uint16)
    if together.size <= wanted:
        return list(fields)
    farthest = np.partition(together, wanted - 1)[wanted - 1]
    near = [np.flatnonzero(field.distances <= farthest) for field in fields]
    return [
        _Field(field.block, field.places[some], field.distances[some])
        for field, some in zip(fields, near, strict=True)
    ]


def _compared(query: Query, fields: Sequence[_Field]) -> _Candidates:
    """Return the exact likeness of rows."""
    row = query.features.row
    own = float(similarity(row, row[np.newaxis])[1, 0])
    exact = np.concatenate(
        [np.zeros((2, 0)), *(similarity(row, f.block.rows(f.places)) for f in fields)], axis=1
    )
    relevances, scores = relevance(own, exact[0], exact[1])
    sizes = [field.places.size for field in fields]
    products = [field.block.products(field.places) for field in fields]
    return _Candidates(
        [field.block for field in fields],
        np.repeat(np.arange(len(fields)), sizes),
        np.concatenate([np.zeros(0, np.int64), *(field.places for field in fields)]),
        np.concatenate([np.zeros(0, np.uint16), *(field.distances for field in fields)]),
        relevances,
        scores,
        np.concatenate([np.zeros(0, np.uint64), *products]),
    )


def _page(found: _Candidates, kept: NDArray[np.int64], query: Query) -> tuple[Hit, ...]:
    """Return the hits from ``start`` on, most alike first and then by key."""
    end = query.start + query.num
    order = _unique(found, _ranked(found, kept)) if query.distinct_product else _ranked(found, kept)
    page = []
    for rank, i in enumerate(order):
        if rank >= end:
            break
        if rank >= query.start:
            page.append(found.hit(i))
    return tuple(page)


def _ranked(found: _Candidates, kept: NDArray[np.int64]) -> Iterator[int]:
    """Yield candidates in the order of results; keys are only read to settle ties."""
    order = kept[np.argsort(-found.relevance[kept], kind="stable")]
    values = found.relevance[order]
    ends = [*(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), order.size]
    start = 0
    for end in ends:
        tied = order[start:end].tolist()
        yield from sorted(tied, key=found.key) if len(tied) > 1 else tied
        start = end


def _unique(found: _Candidates, order: Iterator[int]) -> Iterator[int]:
    """Yield only the first candidate of each product."""
    seen: set[int] = set()
    for i in order:
        product = int(found.product[i])
        if product not in seen:
            seen.add(product)
            yield i
