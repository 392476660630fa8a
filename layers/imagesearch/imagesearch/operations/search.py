"""Search by a picture's bytes, or by a picture that is indexed already."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagesearch.catalogue import Instance, PictureKey, Region
from imagesearch.catalogue.filter import Filter
from imagesearch.errors import MissingField, PictureNotIndexed
from imagesearch.index import Answer, Features, Hit, Query, encode
from imagesearch.index.groups import PRODUCT
from imagesearch.observe import measure
from imagesearch.operations.deployment import Catalogue, Deployment
from imagesearch.operations.fields import (
    PagedHitFields,
    PicName,
    ProductId,
    check_category,
    check_page,
)
from imagesearch.operations.live_queries import LiveQuery, may_keep, settled
from imagesearch.operations.looking import look_while_opening
from imagesearch.operations.source import picture_bytes

if TYPE_CHECKING:
    from imagesearch.vision import Vision

__all__ = ["Found", "Search", "probabilities", "search"]


class Search(PagedHitFields, frozen=True, kw_only=True):
    """What a search is given: ``image``, ``upload_id``, or the key of an indexed picture."""

    image: bytes | None = None
    upload_id: str | None = None
    product_id: ProductId | None = None
    pic_name: PicName | None = None
    crop: bool = True
    region: str | list[int] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Hits, and what was understood of the query. ``took_ms`` is by stage."""

    answer: Answer
    category_id: int
    region: Region
    regions: tuple[Region, ...]
    generation: int
    sequence: int
    took_ms: Mapping[str, float]
    instance: Instance


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is searched for; ``within`` restricts the hits to one category.

    ``settled`` returns the category after the hits have voted on it.
    """

    features: Features
    category_id: int
    within: int | None
    region: Region
    regions: tuple[Region, ...]
    took_ms: Mapping[str, float]
    settled: Callable[[Iterable[tuple[int, float]]], int] | None = None


def search(deployment: Deployment, request: Search) -> Found:
    """Find the pictures that look most like the query, best first.

    A given category restricts a product search; a predicted one is only told, because each wrong
    guess would hide the right product (evaluation/README.md has the figures). The first hits have
    a vote in it.
    """
    began = time.perf_counter()
    check_category(request.category_id)
    check_page(request.num, request.start)
    parsed = Filter.parse(request.filter) if request.filter is not None else None
    opening = deployment.open_soon(
        request.instance, min_sequence=request.min_sequence, searching=True
    )
    stored = request.image is None and request.upload_id is None
    subject, catalogue = (
        (_indexed(opening.result(), request), opening.result())
        if stored
        else look_while_opening(
            deployment, request.instance, opening, _looking(deployment, request)
        )
    )
    keeping = may_keep(
        deployment,
        catalogue,
        LiveQuery(features=subject.features, category_id=subject.within, filter=request.filter),
    )
    scanning = time.perf_counter()
    answer = catalogue.search(
        Query(
            features=subject.features,
            category_id=subject.within,
            filter=parsed,
            num=request.num,
            start=request.start,
            score_threshold=request.score_threshold,
            distinct_product=request.distinct_product or request.distinct_by is not None,
            distinct_by=request.distinct_by or PRODUCT,
        )
    )
    ended = time.perf_counter()
    took_ms = {
        **subject.took_ms,
        "search": (ended - scanning) * 1000,
        "total": (ended - began) * 1000,
    }
    counts = {
        "Searches": 1,
        "LogLength": catalogue.snapshot.log_length,
        "CacheHits": int(catalogue.index.downloads == catalogue.downloads),
    }
    measure(request.instance, counts, took_ms)
    settled(keeping)
    return Found(
        answer,
        _category(subject, answer) if request.start == 0 else subject.category_id,
        subject.region,
        subject.regions,
        catalogue.snapshot.generation,
        catalogue.snapshot.sequence,
        took_ms,
        catalogue.instance,
    )


def probabilities(
    deployment: Deployment, instance: Instance, hits: Iterable[Hit]
) -> list[float | None]:
    """Return how likely each hit shows the same thing as the query, 0…1.

    By the calibration of the instance's bundle; ``None`` where it has none for the service.
    """
    vision = deployment.vision_of(instance)
    return [vision.probability(instance.service, hit.likeness.score) for hit in hits]


def _looking(deployment: Deployment, request: Search) -> Callable[[Vision, Instance], _Subject]:
    """Return the look at the picture that was sent."""
    image = picture_bytes(deployment, request.image, request.upload_id)
    region = None if request.region is None else Region.parse(request.region)

    def look(vision: Vision, instance: Instance) -> _Subject:
        view = vision.look(
            image,
            instance.service,
            region=region,
            crop=request.crop,
            category_id=request.category_id,
        )
        return _Subject(
            encode(view.vector),
            view.category_id,
            request.category_id if instance.service.has_categories else None,
            view.region,
            view.regions,
            view.took_ms,
            (lambda neighbours: vision.settled(view, neighbours)) if view.chances else None,
        )

    return look


def _category(subject: _Subject, answer: Answer) -> int:
    """Return the query's category: what was given or predicted, or what the first hits settle."""
    if subject.settled is None or subject.within is not None:
        return subject.category_id
    return subject.settled((hit.picture.category_id, hit.likeness.score) for hit in answer.hits)


def _indexed(catalogue: Catalogue, request: Search) -> _Subject:
    """Take the features of a picture that is in the index."""
    if request.product_id is None and request.pic_name is None:
        raise MissingField(
            "image", fix="Send image, upload_id, or product_id and pic_name of an indexed picture."
        )
    if request.product_id is None or request.pic_name is None:
        raise MissingField("product_id" if request.product_id is None else "pic_name")
    entry = catalogue.snapshot.find(PictureKey(request.product_id, request.pic_name), meaning=False)
    if entry is None:
        raise PictureNotIndexed(
            f"picture {request.pic_name!r} of product {request.product_id!r} is not indexed."
        )
    picture = entry.picture
    categories = catalogue.instance.service.has_categories
    category = picture.category_id
    if categories and request.category_id is not None:
        category = request.category_id
    return _Subject(
        entry.features,
        category,
        request.category_id if categories else None,
        picture.region,
        (picture.region,),
        {},
    )
