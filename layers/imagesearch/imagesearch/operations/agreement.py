"""How much two rankings of the same pictures agree: the same searches, answered by both."""

from __future__ import annotations

import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from imagesearch.catalogue import PictureKey
from imagesearch.errors import InvalidFilter
from imagesearch.index import Query, Snapshot
from imagesearch.index.ranking import Ranking
from imagesearch.operations.live_queries import LiveQuery

__all__ = ["FIRST", "Agreement", "Asked", "Compared", "compare_rankings", "questions"]

FIRST = 10
"""Hits that are compared."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A search to compare by: a live one, or for a stored picture (``key``), which is no hit."""

    asked: LiveQuery
    key: PictureKey | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """The first hits of a search, best first, by the engine elsewhere and by the index here."""

    question: Asked
    there: tuple[PictureKey, ...]
    here: tuple[PictureKey, ...]

    @property
    def overlap(self) -> float:
        """Return which share of the longer answer both have, in any order; 1 if both are empty."""
        longer = max(len(self.there), len(self.here))
        return len({*self.there} & {*self.here}) / longer if longer else 1.0

    @property
    def same_first(self) -> bool:
        """Tell whether both have the same first hit, or none."""
        return self.there[:1] == self.here[:1]


@dataclass(slots=True)
class Agreement:
    """What a comparison found: ``live`` searches and ``stored`` pictures were searched for."""

    live: int = 0
    stored: int = 0
    compared: list[Compared] = field(default_factory=list)

    @property
    def overlap(self) -> float | None:
        """Return the mean overlap@10, 0 to 1; ``None`` if nothing was compared."""
        return statistics.fmean(one.overlap for one in self.compared) if self.compared else None

    @property
    def least(self) -> float | None:
        """Return the smallest overlap@10."""
        return min((one.overlap for one in self.compared), default=None)

    @property
    def same_first(self) -> float | None:
        """Return the share of searches with the same first hit."""
        if not self.compared:
            return None
        return statistics.fmean(one.same_first for one in self.compared)

    @property
    def distribution(self) -> dict[str, int]:
        """Return how many searches had an overlap of 1.0, 0.9 and so on (rounded down)."""
        counts = Counter(int(one.overlap * FIRST + 1e-9) for one in self.compared)
        return {f"{tenth / FIRST:.1f}": counts[tenth] for tenth in sorted(counts, reverse=True)}

    @property
    def differences(self) -> list[Compared]:
        """Return the searches whose first hits differ, those that differ most first."""
        found = [one for one in self.compared if one.there != one.here]
        return sorted(found, key=lambda one: (one.overlap, one.same_first))


def questions(
    live: Iterable[LiveQuery], snapshot: Snapshot, count: int, *, seed: int
) -> list[Asked]:
    """Return ``count`` searches to compare by: live ones, and stored pictures if those are few."""
    known = [Asked(one) for one in live]
    random.Random(seed).shuffle(known)  # noqa: S311 - a sample, no secret
    chosen = known[:count]
    missing = count - len(chosen)
    drawn = snapshot.sample(missing, seed=seed) if missing > 0 else []
    return [*chosen, *(Asked(LiveQuery(features=e.features), e.picture.key) for e in drawn)]


def compare_rankings(
    snapshot: Snapshot,
    there: Ranking,
    asked: Sequence[Asked],
    *,
    on_progress: Callable[[], None] = lambda: None,
    has_time: Callable[[], bool] = lambda: True,
) -> Agreement:
    """Search for the same in one state of an index by ``there`` and here, while there is time.

    A live search whose filter this release does not read any more is left out.
    """
    found = Agreement()
    for question in asked:
        if not has_time():
            break
        try:
            query = question.asked.query(FIRST + 1)
        except InvalidFilter:
            continue
        first, second = (
            tuple(_first(snapshot, query, ranking, question.key)) for ranking in (there, None)
        )
        found.compared.append(Compared(question, first, second))
        found.live += question.key is None
        found.stored += question.key is not None
        on_progress()
    return found


def _first(
    snapshot: Snapshot, query: Query, ranking: Ranking | None, itself: PictureKey | None
) -> Iterator[PictureKey]:
    answer = snapshot.search(query, ranking=ranking, elsewhere=False)
    hits = (hit.picture.key for hit in answer.hits)
    yield from [key for key in hits if key != itself][:FIRST]
