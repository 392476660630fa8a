"""Finding the pictures whose meaning is nearest to a text's: all of them are compared, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import Picture, PictureKey
from imagesearch.catalogue.filter import Filter
from imagesearch.index.block import Block
from imagesearch.index.features import levels, squares_of
from imagesearch.index.log import Version
from imagesearch.index.numbers import count_distinct
from imagesearch.index.scan import dot_products
from imagesearch.index.view import View, passing

__all__ = [
    "Lacking",
    "Meant",
    "MeantAnswer",
    "TextQuery",
    "cosines_of",
    "encode_meaning",
    "search_meaning",
]

_FEW = 0.25
"""Share of passing rows below which they are gathered before they are compared."""
_DEEPEST = 1024
_CHUNK = 1 << 15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextQuery:
    """What to look for: a text's place in the space of meanings, (512,) int8.

    ``category_id``, ``filter``, ``num``, ``start`` and ``distinct_product`` are as in
    :class:`~imagesearch.index.search.Query`.
    """

    meaning: NDArray[np.int8]
    category_id: int | None = None
    filter: Filter | None = None
    num: int = 10
    start: int = 0
    distinct_product: bool = False


@dataclass(frozen=True, slots=True)
class Meant:
    """A picture that was found, and the cosine (-1 to 1) between its meaning and the text's."""

    picture: Picture
    cosine: float


@dataclass(frozen=True, slots=True)
class MeantAnswer:
    """Hits, nearest first and then by key.

    ``total`` counts the pictures (products, if distinct) that pass category and filter and have a
    meaning; ``lacking`` the pictures that pass and have none.
    """

    hits: tuple[Meant, ...]
    total: int
    lacking: int


@dataclass(frozen=True, slots=True)
class Lacking:
    """A picture without a meaning, and the version of it that a change has to name."""

    picture: Picture
    version: Version


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of one block, ascending, their cosines, and how many others have no meaning."""

    block: Block
    rows: NDArray[np.int64]
    cosines: NDArray[np.float32]
    lacking: int


def encode_meaning(vector: NDArray[np.floating[Any]]) -> NDArray[np.int8]:
    """Return the stored form of a meaning, (512,) int8, scaled as a look's row is.

    :class:`ValueError` unless it is 512 finite numbers that are not all zero.
    """
    return levels(vector)


def search_meaning(view: View, query: TextQuery) -> MeantAnswer:
    """Return the pictures whose meaning is nearest to the query's in one state of an index."""
    view.prepare_meanings(query.category_id)
    parts = [*_parts(view, query)]
    numbers = np.repeat(np.arange(len(parts)), [part.rows.size for part in parts])
    rows = np.concatenate([np.zeros(0, np.int64), *(part.rows for part in parts)])
    cosines = np.concatenate([np.zeros(0, np.float32), *(part.cosines for part in parts)])
    end = query.start + query.num
    page: list[tuple[Block, int, float]] = []
    total, wanted = rows.size, max(end, _DEEPEST)
    if query.distinct_product:
        total = count_distinct([part.block.distinct_products(part.rows) for part in parts])
    while True:
        best = _best(cosines, wanted)
        found = [(parts[numbers[i]].block, int(rows[i]), float(cosines[i])) for i in best.tolist()]
        page = _in_order(found, distinct=query.distinct_product)
        if len(page) >= min(end, total):
            break
        wanted *= 4
    hits = (Meant(block.picture(row), cosine) for block, row, cosine in page[query.start : end])
    return MeantAnswer(tuple(hits), total, sum(part.lacking for part in parts))


def _parts(view: View, query: TextQuery) -> Iterator[_Part]:
    """Yield the rows that pass category and filter and have a meaning, block by block."""
    for block, hidden in view.blocks(query.category_id):
        for run in block.runs:
            if query.category_id not in (None, run.category_id):
                continue
            mask = passing(block, hidden, query.filter, run.start, run.end)
            meant = block.meant[run.start : run.end]
            passed = run.end - run.start if mask is None else int(np.count_nonzero(mask))
            mask = meant if mask is None else mask & meant
            rows = run.start + np.flatnonzero(mask)
            yield _Part(block, rows, cosines_of(block, query.meaning, rows), passed - rows.size)


def cosines_of(
    block: Block, meaning: NDArray[np.int8], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the cosine with each of some rows, ascending, all of which have a meaning."""
    own = float(squares_of(meaning[np.newaxis])[0])
    cosines = np.empty(rows.size, np.float32)
    for start in range(0, rows.size, _CHUNK):
        some = rows[start : start + _CHUNK]
        span = slice(int(some[0]), int(some[-1]) + 1)
        whole = some.size > _FEW * (span.stop - span.start) and bool(block.meant[span].all())
        places = span if whole else some
        dots = dot_products(meaning, block.meanings(places))
        lengths = np.sqrt(own * block.meaning_squares(places))
        found = dots / np.maximum(lengths, 1)
        cosines[start : start + _CHUNK] = found[some - span.start] if whole else found
    return cosines


def _best(cosines: NDArray[np.float32], wanted: int) -> NDArray[np.int64]:
    """Return the places of the ``wanted`` largest, and of all as large as the last."""
    if cosines.size <= wanted:
        return np.arange(cosines.size)
    least = np.partition(cosines, cosines.size - wanted)[cosines.size - wanted]
    return np.flatnonzero(cosines >= least)


def _in_order(
    found: Sequence[tuple[Block, int, float]], *, distinct: bool
) -> list[tuple[Block, int, float]]:
    """Return what was found, nearest first and then by key; of each product the first."""

    def order(place: tuple[Block, int, float]) -> tuple[float, PictureKey]:
        block, row, cosine = place
        return -cosine, block.key_of(row)

    ordered = sorted(found, key=order)
    if not distinct:
        return ordered
    products = (block.key_of(row).product_id for block, row, _ in ordered)
    first: dict[str, tuple[Block, int, float]] = {}
    for product, place in zip(products, ordered, strict=True):
        first.setdefault(product, place)
    return list(first.values())
