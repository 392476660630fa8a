"""Search by words: those known of a picture, and what the picture means.

Known are its custom content, its string attributes, and the names of its category and of the
classes seen in it, in English and Chinese. Its meaning is compared with the text's.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta

from imagesearch.catalogue import CATEGORIES, OTHER
from imagesearch.catalogue.filter import Filter
from imagesearch.index import encode_meaning
from imagesearch.index.groups import PRODUCT
from imagesearch.index.wording import MOST_TERMS, Worded, WordedQuery, Wording
from imagesearch.observe import measure
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import (
    PagedHitFields,
    check_category,
    check_page,
)
from imagesearch.operations.meaning import place_of
from imagesearch.words import understood
from imagesearch.words.classes import CLASSES, class_names
from imagesearch.words.terms import Finder

__all__ = ["FoundByText", "SearchText", "search_text"]


class SearchText(PagedHitFields, frozen=True, kw_only=True):
    """What a search by words is given."""

    text: Annotated[str, Meta(max_length=512, description="English or Chinese, with a word in it.")]


@dataclass(frozen=True, slots=True)
class FoundByText:
    """One page of hits, and how many there are in all.

    ``text`` is what was searched for, ``by_meaning`` tells whether meanings were compared too.
    """

    hits: Sequence[Worded]
    total: int
    text: str
    by_meaning: bool
    generation: int
    sequence: int
    took_ms: Mapping[str, float]


def search_text(deployment: Deployment, request: SearchText) -> FoundByText:
    """Find the pictures that fit the words best, best first.

    A category restricts the hits where the service has categories.
    """
    began = time.perf_counter()
    check_category(request.category_id)
    check_page(request.num, request.start)
    text = understood(request.text)
    selected = Filter.parse(request.filter) if request.filter is not None else None
    opening = deployment.open_soon(
        request.instance, min_sequence=request.min_sequence, searching=True
    )
    instance = deployment.instances.get(request.instance)
    place = place_of(deployment, instance, text)
    encoded = time.perf_counter()
    catalogue = opening.result()
    if catalogue.instance != instance:
        instance = catalogue.instance
        place = place_of(deployment, instance, text)
    categories = instance.service.has_categories
    searching = time.perf_counter()
    answer = catalogue.snapshot.search_words(
        WordedQuery(
            wording=_wording(text, categories=categories),
            meaning=None if place is None else encode_meaning(place),
            category_id=request.category_id if categories else None,
            filter=selected,
            num=request.num,
            start=request.start,
            score_threshold=request.score_threshold,
            distinct_product=request.distinct_product or request.distinct_by is not None,
            distinct_by=request.distinct_by or PRODUCT,
        )
    )
    ended = time.perf_counter()
    took_ms = {
        "text": (encoded - began) * 1000,
        "search": (ended - searching) * 1000,
        "total": (ended - began) * 1000,
    }
    counts = {"TextSearches": 1, "LogLength": catalogue.snapshot.log_length}
    measure(request.instance, counts, took_ms)
    return FoundByText(
        answer.hits,
        answer.total,
        text,
        place is not None,
        catalogue.snapshot.generation,
        catalogue.snapshot.sequence,
        took_ms,
    )


def _wording(text: str, *, categories: bool) -> Wording:
    """Return the terms of a query and where they occur in the names of classes and categories."""
    finder = Finder(text, MOST_TERMS)
    named = {
        id_: finder(f"{category.name}\n{category.chinese}")
        for id_, category in CATEGORIES.items()
        if categories and id_ != OTHER
    }
    classes = (class_names(number) for number in range(CLASSES))
    bits = [finder(_lines(names.every())) if names else 0 for names in classes]
    return Wording(len(finder.terms), finder, np.array(bits, np.uint64), named)


def _lines(names: Iterable[str]) -> str:
    return "\n".join(names)
