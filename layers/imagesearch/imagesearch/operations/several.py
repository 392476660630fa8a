"""Search for every subject of a picture at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from imagesearch.catalogue import Instance, Region
from imagesearch.catalogue.filter import Filter
from imagesearch.index import Answer, Query, encode
from imagesearch.observe import measure
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import HitFields, check_page
from imagesearch.operations.looking import look_while_opening
from imagesearch.operations.source import picture_bytes

if TYPE_CHECKING:
    from imagesearch.vision import View, Vision

__all__ = ["FoundSubject", "FoundSubjects", "SearchSubjects", "search_subjects"]


class SearchSubjects(HitFields, frozen=True, kw_only=True):
    """What a search for every subject is given; ``num`` hits for each."""

    image: bytes | None = None
    upload_id: str | None = None
    regions: Literal["all"]


@dataclass(frozen=True, slots=True)
class FoundSubject:
    """One subject: where it is, what it was taken for, and what looks like it."""

    region: Region
    category_id: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class FoundSubjects:
    """What was found for each subject, the main one first. ``took_ms`` is by stage."""

    subjects: tuple[FoundSubject, ...]
    generation: int
    sequence: int
    took_ms: Mapping[str, float]
    instance: Instance


def search_subjects(deployment: Deployment, request: SearchSubjects) -> FoundSubjects:
    """Find every subject of the picture, and for each the pictures that look most like it.

    Cloth has no subjects: there the whole picture is the only one.
    """
    began = time.perf_counter()
    check_page(request.num, 0)
    parsed = Filter.parse(request.filter) if request.filter is not None else None
    opening = deployment.open_soon(
        request.instance, min_sequence=request.min_sequence, searching=True
    )
    views, catalogue = look_while_opening(
        deployment, request.instance, opening, _looking(deployment, request)
    )
    looked = time.perf_counter()
    subjects = tuple(
        FoundSubject(
            view.region,
            view.category_id,
            catalogue.search(
                Query(
                    features=encode(view.vector),
                    filter=parsed,
                    num=request.num,
                    score_threshold=request.score_threshold,
                    distinct_product=request.distinct_product,
                )
            ),
        )
        for view in views
    )
    ended = time.perf_counter()
    took_ms = {
        "look": (looked - began) * 1000,
        "search": (ended - looked) * 1000,
        "total": (ended - began) * 1000,
    }
    measure(request.instance, {"Searches": len(subjects)}, {"search": took_ms["search"]})
    snapshot = catalogue.snapshot
    return FoundSubjects(
        subjects, snapshot.generation, snapshot.sequence, took_ms, catalogue.instance
    )


def _looking(
    deployment: Deployment, request: SearchSubjects
) -> Callable[[Vision, Instance], list[View]]:
    """Return the look at the picture, once for each of its subjects."""
    image = picture_bytes(deployment, request.image, request.upload_id)

    def look(vision: Vision, instance: Instance) -> list[View]:
        main = vision.look(image, instance.service)
        others = main.regions[1:]
        return [main, *(vision.look(image, instance.service, region=one) for one in others)]

    return look
