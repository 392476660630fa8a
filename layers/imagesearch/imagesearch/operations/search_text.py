"""Search by words: what is known about a picture in words, not what it shows.

Known are its custom content, its string attributes, and the name of its category in English and
Chinese. :class:`TextRanker` is the seam for a search that understands more.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from msgspec import Meta

from imagesearch.catalogue import CATEGORIES, OTHER, Picture
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import InvalidField
from imagesearch.operations.deployment import Catalogue, Deployment
from imagesearch.operations.fields import FilterText, OperationFields, check_page
from imagesearch.operations.words import rarity, share, terms

__all__ = ["FoundByText", "KnownWords", "SearchText", "TextHit", "TextRanker", "search_text"]


class SearchText(OperationFields, frozen=True, kw_only=True):
    """What a search by words is given."""

    text: Annotated[str, Meta(min_length=1, max_length=512)]
    num: Annotated[int, Meta(ge=1, description="At most 100.")] = 10
    start: Annotated[int, Meta(ge=0, description="At most 499.")] = 0
    filter: FilterText | None = None
    score_threshold: Annotated[float, Meta(ge=0, le=1)] = 0.0
    distinct_product: bool = False


@dataclass(frozen=True, slots=True)
class TextHit:
    """A picture and how well it fits the words, 0 to 1."""

    picture: Picture
    score: float


@dataclass(frozen=True, slots=True)
class FoundByText:
    """One page of hits, and how many there are in all."""

    hits: Sequence[TextHit]
    total: int
    milliseconds: float


class TextRanker(Protocol):
    """Whoever tells how well pictures fit words."""

    def __call__(
        self, catalogue: Catalogue, text: str, selected: Filter | None
    ) -> Iterable[TextHit]:
        """Return the pictures that fit at all and that the filter selects, in any order."""
        ...


class KnownWords:
    """Ranks by the share of the query's words, weighed by rarity, that are known of a picture.

    Reads every picture that the filter selects, about 30 µs each: 3 s for 100,000.
    """

    def __call__(
        self, catalogue: Catalogue, text: str, selected: Filter | None
    ) -> Iterable[TextHit]:
        """Return the pictures of which at least one word of the query is known."""
        query = terms(text)
        if not query:
            raise InvalidField(
                "text",
                f"text {text[:40]!r} has no word in it.",
                fix="Send English or Chinese words, or numbers.",
            )
        categories = catalogue.instance.service.has_categories
        everything = max(catalogue.snapshot.pictures, 1)
        pictures = catalogue.snapshot.matching(selected, limit=everything)
        known = [_words(picture, categories=categories) for picture in pictures]
        weights = rarity(query, known)
        for picture, words in zip(pictures, known, strict=True):
            if query & words:
                yield TextHit(picture, share(words, weights))


def search_text(
    deployment: Deployment, request: SearchText, *, ranker: TextRanker | None = None
) -> FoundByText:
    """Find the pictures that fit the words best, best first."""
    began = time.perf_counter()
    check_page(request.num, request.start)
    selected = Filter.parse(request.filter) if request.filter is not None else None
    catalogue = deployment.open(request.instance)
    ranked = sorted(
        (
            hit
            for hit in (ranker or KnownWords())(catalogue, request.text, selected)
            if hit.score >= request.score_threshold
        ),
        key=lambda hit: (-hit.score, hit.picture.key),
    )
    if request.distinct_product:
        first: dict[str, TextHit] = {}
        for hit in ranked:
            first.setdefault(hit.picture.key.product_id, hit)
        ranked = list(first.values())
    page = ranked[request.start : request.start + request.num]
    return FoundByText(page, len(ranked), (time.perf_counter() - began) * 1000)


def _words(picture: Picture, *, categories: bool) -> frozenset[str]:
    given = picture.attributes
    texts = [
        given.custom_content,
        given.str_attr,
        given.str_attr2,
        given.str_attr3,
        given.str_attr4,
    ]
    if categories and picture.category_id != OTHER:
        category = CATEGORIES[picture.category_id]
        texts += [category.name, category.chinese]
    return terms("\n".join(text for text in texts if text))
