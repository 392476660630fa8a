"""The seam behind which rows of segments are ranked under a filter.

A search is answered from the log's tail, which is always looked at here, and from segments. Those
may be ranked here, by functions that share them, or by an engine elsewhere: whoever it is, the
answers are merged by exact relevance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from imagesearch.index.manifest import Manifest, SegmentInfo

if TYPE_CHECKING:
    from imagesearch.index.search import Hit, Query
    from imagesearch.index.view import View

__all__ = ["Ranked", "Ranking"]


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best hits of some segments, most alike first and then by key.

    ``total`` counts what passes category, filter and threshold: exactly, or at least so many if
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
        """Return the best ``query.start + query.num`` hits of some segments (all if distinct).

        Rows that ``view`` hides (dead in its tombs, overwritten, deleted) are left out; those that
        its tail changes are hits as changed. Pictures that the tail adds are no concern of it.
        """
        ...
