"""Finding the pictures most like one: codes are scanned, the nearest compared exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from imagesearch.catalogue import PictureKey
from imagesearch.index.block import Block, Places
from imagesearch.index.features import Likeness, relevance, squares_of
from imagesearch.index.groups import distinct_groups, groups
from imagesearch.index.manifest import SegmentInfo
from imagesearch.index.numbers import count_distinct, distinct_numbers
from imagesearch.index.parallel import each
from imagesearch.index.policy import Policy
from imagesearch.index.query import DEEPEST, Answer, Hit, Query
from imagesearch.index.ranking import Ranked, Ranking, merged
from imagesearch.index.scan import dot_products, hamming
from imagesearch.index.view import View, passing

__all__ = ["Answer", "Hit", "Query", "rank_block", "rank_here", "search"]

_Kind = TypeVar("_Kind", np.int64, np.uint16, np.float32, np.float64, np.uint64)
_FIRST_PAGE = 32
_CHUNK = 1 << 15
_WALKED = 100
_FEW = 0.25
"""Share of passing rows below which they are gathered before they are scanned."""


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


def search(view: View, query: Query, policy: Policy, rankings: Sequence[Ranking] = ()) -> Answer:
    """Return the hits of a query in one state of an index.

    Each of ``rankings`` is asked for the segments that it takes, the first that does so; all
    other segments and the pictures that the tail adds are ranked here meanwhile.
    """
    rest, asked = _shared(view, query, rankings)
    here = partial(view.blocks, query.category_id, tables_only=False, among=rest)
    if not asked:
        ranked = _ranked(here(), query, policy, query.start)
        return Answer(tuple(ranked.hits), ranked.total)
    work: list[Callable[[], Ranked]] = [
        *(partial(ranking.rank, view, infos, query) for ranking, infos in asked),
        lambda: _ranked(here(), query, policy),
    ]
    return merged(each(lambda rank: rank(), work, policy.parallel), query)


def rank_here(view: View, segments: Sequence[SegmentInfo], query: Query, policy: Policy) -> Ranked:
    """Return the best hits of some segments, ranked in this process, as a ranking does."""
    blocks = view.folded(query.category_id, tables_only=False, among=segments)
    return _ranked(blocks, query, policy)


def rank_block(block: Block, query: Query) -> Ranked:
    """Return the best hits of a block in memory, all of whose rows are compared exactly."""
    policy = Policy(candidates=max(1, len(block)))
    return _ranked([(block, np.zeros(0, np.int64))], query, policy)


def _shared(
    view: View, query: Query, rankings: Sequence[Ranking]
) -> tuple[list[SegmentInfo], list[tuple[Ranking, list[SegmentInfo]]]]:
    """Return the segments that are ranked here, and those that each of some others is asked for."""
    rest, asked = list(view.manifest.segments), []
    for ranking in rankings:
        names = {info.id for info in ranking.takes(view.manifest)}
        taken = [info for info in rest if info.id in names]
        rest = [info for info in rest if info.id not in names]
        if query.category_id is not None:
            taken = [info for info in taken if query.category_id in info.categories]
        if taken:
            asked.append((ranking, taken))
    return rest, asked


def _ranked(
    blocks: Iterable[tuple[Block, NDArray[np.int64]]], query: Query, policy: Policy, start: int = 0
) -> Ranked:
    """Return the hits from ``start`` on to the end of the query's page.

    At least ``policy.candidates`` of the nearest codes, of very many rows a share, are compared
    exactly; with a threshold, all that pass are. How many does not depend on the page, so that
    pages fit together. While rows must be read one by one, the first page is answered from
    ``policy.cold_candidates``.
    """
    fields = [*_fields(blocks, query)]
    if query.score_threshold > 0:
        found = _compared(query, [_above(query, field) for field in fields])
        different = distinct_numbers([found.product]) if query.distinct_product else None
        total = len(found) if different is None else different.size
        return Ranked(_page(found, query, start), total, groups=different)
    different = _different(fields, query)
    passed = sum(field.passing for field in fields)
    total = passed if different is None else different.size
    deepest = max(DEEPEST, query.end)
    wanted = max(policy.candidates_among(passed), deepest)
    if any(field.block.remote for field in fields) and _first_page(query):
        wanted = policy.cold_candidates
    found = _compared(query, _nearest(fields, wanted))
    while query.distinct_product and count_distinct([found.product]) < min(deepest, total):
        wanted *= 4
        found = _compared(query, _nearest(fields, wanted))
    return Ranked(_page(found, query, start), total, groups=different)


def _first_page(query: Query) -> bool:
    return not query.distinct_product and query.end <= _FIRST_PAGE


def _fields(blocks: Iterable[tuple[Block, NDArray[np.int64]]], query: Query) -> Iterator[_Field]:
    """Yield the rows that pass category and filter, block by block."""
    bits = query.features.bits
    for block, hidden in blocks:
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
    rows = block.nearest(query.features.row) if query.end <= _WALKED else None
    if rows is None:
        return None
    rows = rows[(rows >= start) & (rows < end)]
    rows = rows if mask is None else rows[mask[rows - start]]
    if rows.size < min(count, query.end):
        return None
    return _Field(block, rows, hamming(query.features.bits, block.codes[:, rows]), count)


def _spans(block: Block, category_id: int | None) -> list[tuple[int, int]]:
    if category_id is None:
        return [(0, len(block))]
    return [(run.start, run.end) for run in block.runs if run.category_id == category_id]


def _different(fields: Sequence[_Field], query: Query) -> NDArray[np.uint64] | None:
    """Return the different groups of what passes, in a query for distinct ones."""
    if not query.distinct_product:
        return None
    return distinct_numbers(
        [distinct_groups(field.block, field.places, query.distinct_by) for field in fields]
    )


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


def _page(found: _Candidates, query: Query, start: int) -> tuple[Hit, ...]:
    """Return the hits from ``start`` to the page's end, most alike first and then by key."""
    order = _unique(found, _ordered(found)) if query.distinct_product else _ordered(found)
    return tuple(found.hit(i) for i in islice(order, start, query.end))


def _ordered(found: _Candidates) -> Iterator[int]:
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
