"""Finding the pictures most like one: codes are scanned, the nearest compared exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Picture, PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.index.block import Block, Places
from imagesearch.index.features import Features, Likeness, relevance, squares_of
from imagesearch.index.groups import PRODUCT, distinct_groups, groups
from imagesearch.index.scan import dot_products, hamming
from imagesearch.index.view import View, count_distinct, passing

__all__ = ["Answer", "Hit", "Query", "search"]

_Kind = TypeVar("_Kind", np.int64, np.uint16, np.float32, np.float64, np.uint64)
DEEPEST = 500
"""Results that all pages of a search have together."""
_FIRST_PAGE = 32
_CHUNK = 1 << 15
_WALKED = 100
_FEW = 0.25
"""Share of passing rows below which they are gathered before they are scanned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look for.

    ``category_id`` and ``filter`` restrict what is searched; ``score_threshold`` (0 to 1) drops
    what is less alike; ``distinct_product`` keeps the most alike picture of each product, or of
    each value of the string attribute that ``distinct_by`` names. The
    answer has the ``num`` hits from ``start`` on.
    """

    features: Features
    category_id: int | None = None
    filter: Filter | None = None
    num: int = 10
    start: int = 0
    score_threshold: float = 0.0
    distinct_product: bool = False
    distinct_by: str = PRODUCT


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
    """Rows of one block that may be hits, and how many sign bits of each differ.

    ``passing`` counts the block's rows that pass category and filter: all of these, and those
    that a graph has left out.
    """

    block: Block
    places: Places
    distances: NDArray[np.uint16]
    passing: int

    def __len__(self) -> int:
        return self.distances.size

    def some(self, chosen: NDArray[np.int64]) -> _Field:
        """Return only some of the rows, given by their number in this field."""
        if isinstance(self.places, slice):
            places = self.places.start + chosen
        else:
            places = self.places[chosen]
        return replace(self, places=places, distances=self.distances[chosen])

    def part(self, start: int, end: int) -> _Field:
        """Return consecutive rows, given by their number in this field."""
        if isinstance(self.places, slice):
            first = self.places.start
            places: Places = slice(first + start, first + end)
        else:
            places = self.places[start:end]
        return replace(self, places=places, distances=self.distances[start:end])

    def numbers(self) -> NDArray[np.int64]:
        """Return the rows' numbers in the block."""
        if isinstance(self.places, slice):
            return np.arange(self.places.start, self.places.stop)
        return self.places


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

    def __len__(self) -> int:
        return self.place.size

    def key(self, i: int) -> PictureKey:
        return self.blocks[int(self.block[i])].key_of(int(self.place[i]))

    def hit(self, i: int) -> Hit:
        picture = self.blocks[int(self.block[i])].picture(int(self.place[i]))
        return Hit(
            picture,
            Likeness(float(self.relevance[i]), int(self.distance[i]), float(self.score[i])),
        )


def search(view: View, query: Query, *, candidates: int, cold_candidates: int) -> Answer:
    """Return the hits of a query in one state of an index.

    At least ``candidates`` of the nearest codes are compared exactly; with a threshold, all that
    pass are. How many does not depend on the page, so that pages fit together. While rows must
    be read one by one, the first page is answered from ``cold_candidates``.
    """
    fields = [*_fields(view, query)]
    if query.score_threshold > 0:
        found = _compared(query, [_above(query, field) for field in fields])
        total = count_distinct([found.product]) if query.distinct_product else len(found)
        return Answer(_page(found, query), total)
    total = _total(fields, query)
    deepest = max(DEEPEST, query.start + query.num)
    wanted = max(candidates, deepest)
    if any(field.block.remote for field in fields) and _first_page(query):
        wanted = cold_candidates
    found = _compared(query, _nearest(fields, wanted))
    while query.distinct_product and count_distinct([found.product]) < min(deepest, total):
        wanted *= 4
        found = _compared(query, _nearest(fields, wanted))
    return Answer(_page(found, query), total)


def _first_page(query: Query) -> bool:
    return not query.distinct_product and query.start + query.num <= _FIRST_PAGE


def _fields(view: View, query: Query) -> Iterator[_Field]:
    """Yield the rows that pass category and filter, block by block."""
    bits = query.features.bits
    for block, hidden in view.blocks(query.category_id, tables_only=False):
        for start, end in _spans(block, query.category_id):
            mask = passing(block, hidden, query.filter, start, end)
            if walked := _walked(block, query, mask, start, end):
                yield walked
                continue
            codes = block.codes[:, start:end]
            if mask is None:
                yield _Field(block, slice(start, end), hamming(bits, codes), end - start)
                continue
            chosen = np.flatnonzero(mask)
            if chosen.size < _FEW * mask.size:
                distances = hamming(bits, codes[:, chosen])
            else:
                distances = hamming(bits, codes)[chosen]
            yield _Field(block, start + chosen, distances, chosen.size)


def _walked(
    block: Block, query: Query, mask: NDArray[np.bool_] | None, start: int, end: int
) -> _Field | None:
    """Return what the block's graph finds, if it has one and that is enough.

    A graph knows nothing of masks, so it is of use only where most of the block passes.
    """
    count = end - start if mask is None else int(np.count_nonzero(mask))
    if query.distinct_product or query.score_threshold > 0 or count < len(block) / 2:
        return None
    rows = block.nearest(query.features.row) if query.start + query.num <= _WALKED else None
    if rows is None:
        return None
    rows = rows[(rows >= start) & (rows < end)]
    rows = rows if mask is None else rows[mask[rows - start]]
    if rows.size < min(count, query.start + query.num):
        return None
    return _Field(block, rows, hamming(query.features.bits, block.codes[:, rows]), count)


def _spans(block: Block, category_id: int | None) -> list[tuple[int, int]]:
    if category_id is None:
        return [(0, len(block))]
    return [(run.start, run.end) for run in block.runs if run.category_id == category_id]


def _total(fields: Sequence[_Field], query: Query) -> int:
    if not query.distinct_product:
        return sum(field.passing for field in fields)
    products = [distinct_groups(field.block, field.places, query.distinct_by) for field in fields]
    return count_distinct(products)


def _nearest(fields: Sequence[_Field], wanted: int) -> list[_Field]:
    """Return the rows with the ``wanted`` smallest distances, and all as near as the last."""
    if sum(len(field) for field in fields) <= wanted:
        return list(fields)
    closest = [
        np.partition(f.distances, wanted - 1)[:wanted] if len(f) > wanted else f.distances
        for f in fields
    ]
    farthest = np.partition(np.concatenate(closest), wanted - 1)[wanted - 1]
    return [field.some(np.flatnonzero(field.distances <= farthest)) for field in fields]


def _above(query: Query, field: _Field) -> _Field:
    """Return the rows whose score reaches the threshold."""
    kept = []
    for start in range(0, len(field), _CHUNK):
        part = field.part(start, min(start + _CHUNK, len(field)))
        scores = _likenesses(query, part)[1]
        kept.append(start + np.flatnonzero(scores >= query.score_threshold))
    return field.some(np.concatenate([np.zeros(0, np.int64), *kept]))


def _likenesses(query: Query, field: _Field) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return relevance and score of every row, exactly."""
    row = query.features.row
    dots = dot_products(row, field.block.rows(field.places))
    own = int(squares_of(row[np.newaxis])[0])
    return relevance(own, dots, field.block.squares[field.places])


def _compared(query: Query, fields: Sequence[_Field]) -> _Candidates:
    """Return rows with their exact likeness."""
    likenesses = [_likenesses(query, field) for field in fields]
    return _Candidates(
        [field.block for field in fields],
        np.repeat(np.arange(len(fields)), [len(field) for field in fields]),
        _joined([field.numbers() for field in fields], np.int64),
        _joined([field.distances for field in fields], np.uint16),
        _joined([relevances for relevances, _ in likenesses], np.float32),
        _joined([scores for _, scores in likenesses], np.float64),
        _joined(
            [groups(field.block, field.places, query.distinct_by) for field in fields], np.uint64
        ),
    )


def _joined(arrays: Sequence[NDArray[_Kind]], kind: type[_Kind]) -> NDArray[_Kind]:
    return np.concatenate([np.zeros(0, kind), *arrays])


def _page(found: _Candidates, query: Query) -> tuple[Hit, ...]:
    """Return the hits from ``start`` on, most alike first and then by key."""
    end = query.start + query.num
    order = _unique(found, _ranked(found)) if query.distinct_product else _ranked(found)
    page = []
    for rank, i in enumerate(order):
        if rank >= end:
            break
        if rank >= query.start:
            page.append(found.hit(i))
    return tuple(page)


def _ranked(found: _Candidates) -> Iterator[int]:
    """Yield candidates in the order of results; keys are only read to settle ties."""
    order = np.argsort(-found.relevance, kind="stable")
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
