"""Search by several things at once: pictures, stored pictures, words; each wanted or unwanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from imagesearch.catalogue import Instance, Picture, PictureKey, Region
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import InvalidField, MissingField, PictureNotIndexed
from imagesearch.index import Entry, Query, Snapshot, TextQuery, direction, encode, encode_meaning
from imagesearch.index.groups import PRODUCT, group_of
from imagesearch.observe import measure
from imagesearch.operations.deployment import Catalogue, Deployment
from imagesearch.operations.fields import (
    PagedHitFields,
    PicName,
    ProductId,
    check_category,
    check_page,
)
from imagesearch.operations.looking import look_while_opening
from imagesearch.operations.source import picture_bytes

if TYPE_CHECKING:
    from imagesearch.vision import Vision

__all__ = ["CombinedHit", "CombinedSearch", "FoundTogether", "Part", "StoredPicture", "combined"]

MAX_PARTS = 10
"""Parts that one query may have."""
_DEEPEST = 500
_CANCELLED = 1e-3
"""Length of a sum of wishes below which they point nowhere."""

Direction = NDArray[np.float32]


class StoredPicture(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names an indexed picture."""

    product_id: ProductId
    pic_name: PicName


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of ``image``, ``upload_id``, ``picture`` and ``text``; unwanted by a negative weight."""

    image: bytes | None = None
    upload_id: str | None = None
    picture: StoredPicture | None = None
    text: Annotated[str, Meta(min_length=1, max_length=512)] | None = None
    region: str | list[int] | None = None
    crop: bool = True
    weight: Annotated[float, Meta(ge=-10, le=10, description="Not 0.")] = 1.0


class CombinedSearch(PagedHitFields, frozen=True, kw_only=True):
    """What a combined search is given."""

    query: Annotated[list[Part], Meta(min_length=1, max_length=MAX_PARTS)]


@dataclass(frozen=True, slots=True)
class CombinedHit:
    """A picture, its score (0…1), and its cosine with each part (``None``: cannot be told)."""

    picture: Picture
    score: float
    parts: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class FoundTogether:
    """Hits, best first. ``total`` counts the pictures (products) that pass category and filter.

    Unless it is ``exact``: see :class:`~imagesearch.index.Answer`.
    """

    hits: tuple[CombinedHit, ...]
    total: int
    exact: bool
    generation: int
    sequence: int
    took_ms: Mapping[str, float]


class Understands(Protocol):
    """Whoever knows the place of a text in the space of meanings, (512,) of unit length."""

    def __call__(self, text: str) -> Direction:
        """Return it; raises what is wrong with the text."""
        ...


@dataclass(frozen=True, slots=True)
class _Wish:
    """Unit vectors with their weights, and where they point together."""

    vectors: Sequence[Direction]
    weights: Sequence[float]

    @classmethod
    def of(cls, parts: Sequence[Part], places: Sequence[Direction], *, words: bool) -> _Wish:
        """Return the wishes in words, or those in pictures."""
        chosen = [i for i, part in enumerate(parts) if (part.text is not None) is words]
        return cls([places[i] for i in chosen], [parts[i].weight for i in chosen])

    @property
    def force(self) -> float:
        return float(np.abs(self.weights).sum())

    def direction(self) -> Direction:
        together = np.zeros(512, np.float32)
        for vector, weight in zip(self.vectors, self.weights, strict=True):
            together += np.float32(weight) * vector
        length = float(np.linalg.norm(together))
        if length < _CANCELLED * self.force:
            raise InvalidField(
                "query",
                "the parts of query cancel each other out.",
                fix="Give what is wanted more weight than what is not.",
            )
        return together / np.float32(length)


def combined(
    deployment: Deployment, request: CombinedSearch, *, understands: Understands | None = None
) -> FoundTogether:
    """Find the pictures that fit all parts best.

    Pictures meet in the space of looks and texts in the space of meanings: in each the unit
    vectors of the parts are added up by weight (Rocchio's rule, 1971). A hit's score is the mean
    of its cosines with both sums, by the parts' absolute weights, 0 where negative; with words
    among the parts the 500 best by look and the 500 best by meaning are compared.
    """
    began = time.perf_counter()
    check_category(request.category_id)
    check_page(request.num, request.start)
    for part in request.query:
        _check(part)
    if not any(part.weight > 0 for part in request.query):
        raise InvalidField(
            "query", "every part of query has a negative weight.", fix="Say what is wanted, too."
        )
    opening = deployment.open_soon(
        request.instance, min_sequence=request.min_sequence, searching=True
    )
    seen, catalogue = look_while_opening(
        deployment, request.instance, opening, _looking(deployment, request.query)
    )
    places = [
        _place(part, look, catalogue, understands)
        for part, look in zip(request.query, seen, strict=True)
    ]
    scanning = time.perf_counter()
    hits, total, exact = _search(catalogue, request, places)
    ended = time.perf_counter()
    took_ms = {
        "look": (scanning - began) * 1000,
        "search": (ended - scanning) * 1000,
        "total": (ended - began) * 1000,
    }
    measure(request.instance, {"Searches": 1}, {"search": took_ms["search"]})
    snapshot = catalogue.snapshot
    return FoundTogether(hits, total, exact, snapshot.generation, snapshot.sequence, took_ms)


def _check(part: Part) -> None:
    """Raise unless exactly one thing is wanted or unwanted, and how much."""
    things = {
        "image": part.image,
        "upload_id": part.upload_id,
        "picture": part.picture,
        "text": part.text,
    }
    given = [name for name, value in things.items() if value is not None]
    if not given:
        raise MissingField("query", fix="Give each part one of image, upload_id, picture and text.")
    if len(given) > 1:
        raise InvalidField("query", f"a part of query has {' and '.join(given)}; send one of them.")
    if part.weight == 0:
        raise InvalidField("query", "a part of query has the weight 0.", fix="Leave it out.")


def _looking(
    deployment: Deployment, parts: Sequence[Part]
) -> Callable[[Vision, Instance], list[Direction | None]]:
    """Return the look at all pictures that were sent; ``None`` for the other parts."""

    def look(vision: Vision, instance: Instance) -> list[Direction | None]:
        found: list[Direction | None] = []
        for part in parts:
            if part.image is None and part.upload_id is None:
                found.append(None)
                continue
            view = vision.look(
                picture_bytes(deployment, part.image, part.upload_id),
                instance.service,
                region=None if part.region is None else Region.parse(part.region),
                crop=part.crop,
                category_id=None,
            )
            found.append(view.vector)
        return found

    return look


def _place(
    part: Part, look: Direction | None, catalogue: Catalogue, understands: Understands | None
) -> Direction:
    """Return where a part is: among looks or, for a text, among meanings."""
    if look is not None:
        return look
    if part.text is not None:
        if understands is None:
            raise InvalidField("query", "this deployment cannot search by words.")
        return understands(part.text)
    named, entry = part.picture, None
    if named:
        key = PictureKey(named.product_id, named.pic_name)
        entry = catalogue.snapshot.find(key, meaning=False)
    if named is None or entry is None:
        name = f"{named.pic_name!r} of product {named.product_id!r}" if named else ""
        raise PictureNotIndexed(f"picture {name} is not indexed.", field="query")
    return direction(entry.features.row)


def _search(
    catalogue: Catalogue, request: CombinedSearch, places: Sequence[Direction]
) -> tuple[tuple[CombinedHit, ...], int, bool]:
    looks = _Wish.of(request.query, places, words=False)
    texts = _Wish.of(request.query, places, words=True)
    snapshot = catalogue.snapshot
    by_look = _Candidates.by_look(catalogue, request, looks) if looks.vectors else None
    by_text = _Candidates.by_text(catalogue, request, texts) if texts.vectors else None
    if by_look and not by_text:
        end = request.start + request.num
        chosen = [(key, score) for key, score in by_look.scores.items()][request.start : end]
        hits = _described(snapshot, chosen, request.query, places)
        return hits, by_look.total, by_look.exact
    found = {**(by_look.scores if by_look else {}), **(by_text.scores if by_text else {})}
    entries = {key: entry for key in found if (entry := snapshot.view.find(key))}
    force = looks.force + texts.force
    scores = {
        key: (_by_look(entry, by_look) * looks.force + _by_text(entry, by_text) * texts.force)
        / force
        for key, entry in entries.items()
    }
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    kept = [(key, max(0.0, score)) for key, score in ranked if score >= request.score_threshold]
    if _distinct(request):
        first: dict[tuple[str, ...], tuple[PictureKey, float]] = {}
        for key, score in kept:
            group = group_of(entries[key].picture, request.distinct_by or PRODUCT)
            first.setdefault(group, (key, score))
        kept = list(first.values())
    page = kept[request.start : request.start + request.num]
    total = max(one.total for one in (by_look, by_text) if one and one.exact)
    return _described(snapshot, page, request.query, places), total, True


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The best in one space by key, best first; ``total`` passed category and filter.

    Those by meaning are always counted exactly.
    """

    towards: Direction
    scores: Mapping[PictureKey, float]
    total: int
    exact: bool = True

    @classmethod
    def by_look(cls, catalogue: Catalogue, request: CombinedSearch, wish: _Wish) -> _Candidates:
        towards = wish.direction()
        alone = all(part.text is None for part in request.query)
        found = catalogue.search(
            Query(
                features=encode(towards),
                category_id=_within(catalogue, request),
                filter=_filter(request),
                num=request.start + request.num if alone else _DEEPEST,
                score_threshold=request.score_threshold if alone else 0.0,
                distinct_product=alone and _distinct(request),
                distinct_by=request.distinct_by or PRODUCT,
            )
        )
        scores = {hit.picture.key: hit.likeness.score for hit in found.hits}
        return cls(towards, scores, found.total, found.exact)

    @classmethod
    def by_text(cls, catalogue: Catalogue, request: CombinedSearch, wish: _Wish) -> _Candidates:
        towards = wish.direction()
        found = catalogue.snapshot.search_meaning(
            TextQuery(
                meaning=encode_meaning(towards),
                category_id=_within(catalogue, request),
                filter=_filter(request),
                num=_DEEPEST,
            )
        )
        scores = {hit.picture.key: hit.cosine for hit in found.hits}
        return cls(towards, scores, found.total)


def _distinct(request: CombinedSearch) -> bool:
    return request.distinct_product or request.distinct_by is not None


def _within(catalogue: Catalogue, request: CombinedSearch) -> int | None:
    return request.category_id if catalogue.instance.service.has_categories else None


def _filter(request: CombinedSearch) -> Filter | None:
    return Filter.parse(request.filter) if request.filter is not None else None


def _by_look(entry: Entry, wanted: _Candidates | None) -> float:
    return float(direction(entry.features.row) @ wanted.towards) if wanted else 0.0


def _by_text(entry: Entry, wanted: _Candidates | None) -> float:
    if wanted is None or entry.meaning is None:
        return 0.0
    return float(direction(entry.meaning) @ wanted.towards)


def _described(
    snapshot: Snapshot,
    page: Sequence[tuple[PictureKey, float]],
    parts: Sequence[Part],
    places: Sequence[Direction],
) -> tuple[CombinedHit, ...]:
    """Return hits with their cosine with each part."""
    worded = any(part.text is not None for part in parts)
    entries = snapshot.find_all([key for key, _ in page], meaning=worded)
    hits = []
    for key, score in page:
        entry = entries.get(key)
        if entry is None:
            continue
        cosines = tuple(
            _cosine(entry, place, meaning=part.text is not None)
            for part, place in zip(parts, places, strict=True)
        )
        hits.append(CombinedHit(entry.picture, min(score, 1.0), cosines))
    return tuple(hits)


def _cosine(entry: Entry, place: Direction, *, meaning: bool) -> float | None:
    row = entry.meaning if meaning else entry.features.row
    return None if row is None else float(direction(row) @ place)
