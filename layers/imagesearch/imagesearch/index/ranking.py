"""The seam behind which rows of segments are ranked under a filter.

A search is answered from the log's tail, which is always looked at here, and from segments. Those
may be ranked here, by functions that share them, or by an engine elsewhere: whoever it is, the
answers are merged by exact relevance.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from imagesearch.index.groups import group_of
from imagesearch.index.manifest import Manifest, SegmentInfo
from imagesearch.index.numbers import count_distinct
from imagesearch.index.query import Answer, Hit, Query
from imagesearch.index.view import View

__all__ = ["Ranked", "Ranking", "merged"]


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best hits of some segments, most alike first and then by key.

    ``total`` counts what passes category, filter and threshold; exactly, or about so many if
    ``exact`` is false. ``groups`` are the different groups (products, or values of an attribute)
    of all that passes, in a query for distinct ones; ``None`` if they were not counted.
    """

    hits: Sequence[Hit]
    total: int
    exact: bool = True
    groups: NDArray[np.uint64] | None = None


class Ranking(Protocol):
    """Who ranks the rows of whole segments."""

    def takes(self, manifest: Manifest) -> Sequence[SegmentInfo]:
        """Return the segments that it can rank; all others are ranked here."""
        ...

    def rank(self, view: View, segments: Sequence[SegmentInfo], query: Query) -> Ranked:
        """Return the best ``query.end`` hits of some segments, or fewer if there are no more.

        In a query for distinct ones only the best hit of each group counts. Rows that ``view``
        hides (dead in its tombs, overwritten, deleted) are left out; those that its tail changes
        are hits as changed. Pictures that the tail adds are no concern of it.
        """
        ...


def merged(parts: Sequence[Ranked], query: Query) -> Answer:
    """Return the answer that several parts of an index have together; no row is in two parts."""
    hits: Iterable[Hit] = heapq.merge(*(part.hits for part in parts), key=_order)
    if query.distinct_product:
        hits = _firsts(hits, query.distinct_by)
    best = [*islice(hits, query.end)]
    exact = all(part.exact for part in parts)
    total = sum(part.total for part in parts)
    if query.distinct_product:
        counted = [part.groups for part in parts if part.groups is not None]
        exact = exact and len(counted) == len(parts)
        total = max([len(best), count_distinct(counted), *(part.total for part in parts)])
    return Answer(tuple(best[query.start :]), total, exact)


def _order(hit: Hit) -> tuple[float, tuple[str, str]]:
    return -hit.likeness.relevance, hit.picture.key


def _firsts(hits: Iterable[Hit], by: str) -> Iterator[Hit]:
    """Yield only the first hit of each group."""
    seen = set()
    for hit in hits:
        group = group_of(hit.picture, by)
        if group not in seen:
            seen.add(group)
            yield hit
