"""What a search is given, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from imagesearch.catalogue import Picture
from imagesearch.catalogue.filter import Filter
from imagesearch.index.features import Features, Likeness
from imagesearch.index.groups import PRODUCT

__all__ = ["DEEPEST", "Answer", "Hit", "Query"]

DEEPEST = 500
"""Results that all pages of a search have together."""


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

    @property
    def end(self) -> int:
        """Return how many of the best hits are on this page and those before it."""
        return self.start + self.num


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture that was found, and how alike it is."""

    picture: Picture
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits, most alike first and then by key.

    ``total`` counts the pictures (products, if distinct) that pass category, filter and
    threshold: exactly, unless ``exact`` is false. That comes of an engine elsewhere
    (:class:`~imagesearch.index.outposts.EngineRanking` says how it counts), or of functions that
    have too many groups to tell each other (``total`` is then a lower bound).
    """

    hits: tuple[Hit, ...]
    total: int
    exact: bool = True
