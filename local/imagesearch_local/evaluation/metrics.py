"""Figures of retrieval quality, as fractions from 0 to 1.

Products are ranked by their best picture. A question without any right answer counts for the
category and the subject box only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from imagesearch.catalogue import Region

__all__ = [
    "Figures",
    "Judged",
    "average_precision",
    "distinct",
    "figures",
    "intersection_over_union",
]


@dataclass(frozen=True, slots=True)
class Judged:
    """What one question's answer is worth; ``None`` where it cannot be judged.

    ``rank`` is the place of the first right product, from 1; 0 if there is none in the answer.
    """

    kind: str
    rank: int | None
    precision: float | None
    category: bool | None
    overlap: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The means over a group of questions; ``None`` where there is nothing to judge."""

    queries: int
    recall_at_1: float | None
    recall_at_10: float | None
    map: float | None
    category_accuracy: float | None
    subject_iou: float | None

    def as_dict(self) -> dict[str, float | int | None]:
        """Return the figures by name, rounded to four digits."""
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def distinct(products: Iterable[str]) -> list[str]:
    """Return the products in order, each only where it comes first."""
    return list(dict.fromkeys(products))


def first_right(ranked: Sequence[str], relevant: Iterable[str]) -> int:
    """Return the place of the first right product, from 1; 0 if there is none."""
    right = set(relevant)
    return next((place for place, product in enumerate(ranked, 1) if product in right), 0)


def average_precision(ranked: Sequence[str], relevant: Iterable[str]) -> float:
    """Return the mean over all right products of the precision at their place (0 if absent).

    ``ranked`` must be distinct. Manning, Raghavan, Schütze: Introduction to Information
    Retrieval, section 8.4.
    """
    right = set(relevant)
    places = [place for place, product in enumerate(ranked, 1) if product in right]
    return sum(found / place for found, place in enumerate(places, 1)) / len(right)


def intersection_over_union(a: Region, b: Region) -> float:
    """Return the share of the two boxes' union that lies in both."""
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (a.area + b.area - both)


def figures(judged: Iterable[Judged]) -> Figures:
    """Return the means over questions."""
    group = list(judged)
    ranks = [j.rank for j in group if j.rank is not None]
    return Figures(
        len(group),
        _mean([0 < rank <= 1 for rank in ranks]),
        _mean([0 < rank <= 10 for rank in ranks]),
        _mean([j.precision for j in group if j.precision is not None]),
        _mean([j.category for j in group if j.category is not None]),
        _mean([j.overlap for j in group if j.overlap is not None]),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
