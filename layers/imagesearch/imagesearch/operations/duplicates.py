"""Find pictures of an instance that are the same or nearly the same."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from imagesearch.catalogue import Instance, Picture
from imagesearch.index import Hit, Query, Snapshot
from imagesearch.operations.deployment import Deployment
from imagesearch.operations.fields import OperationFields
from imagesearch.operations.pictures import cursor_of, key_of

__all__ = ["SAME", "DuplicatePage", "FindDuplicates", "Twins", "find_duplicates"]

SAME = 0.97
"""Score from which on two pictures count as the same one."""
_SECONDS = 15.0
"""Time after which a page ends; API Gateway waits for 30."""
_TWINS = 1000
"""Pictures that are told of one that has very many duplicates, itself among them."""


class FindDuplicates(OperationFields, frozen=True, kw_only=True):
    """Asks for the duplicates of a page of pictures, in the order of their keys."""

    score: Annotated[
        float, Meta(ge=0.5, le=1, description="How alike duplicates are at least; 1: identical.")
    ] = SAME
    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=500, description="Pictures looked at.")] = 100


@dataclass(frozen=True, slots=True)
class Twins:
    """A picture and its duplicates with a later key, most alike first."""

    picture: Picture
    duplicates: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class DuplicatePage:
    """The pictures of a page that have duplicates; ``next_cursor`` is ``None`` on the last.

    Every pair is told once, with the picture whose key comes first. ``looked`` counts the
    pictures that were compared with the whole instance, fewer than were asked for when time is up.
    """

    twins: tuple[Twins, ...]
    looked: int
    next_cursor: str | None
    instance: Instance


def find_duplicates(
    deployment: Deployment, request: FindDuplicates, *, seconds: float = _SECONDS
) -> DuplicatePage:
    """Compare each picture of a page with all of the instance, exactly.

    The page ends early after some ``seconds``, with one picture at least.
    """
    until = time.monotonic() + seconds
    after = key_of(request.cursor) if request.cursor is not None else None
    catalogue = deployment.open(request.instance)
    snapshot = catalogue.snapshot
    found = snapshot.matching(None, after=after, limit=request.limit + 1)
    twins: list[Twins] = []
    for picture in found[: request.limit]:
        twins.append(_twins(snapshot, picture, request.score))
        if time.monotonic() > until:
            break
    looked = len(twins)
    return DuplicatePage(
        tuple(one for one in twins if one.duplicates),
        looked,
        cursor_of(found[looked - 1].key) if looked < len(found) else None,
        catalogue.instance,
    )


def _twins(snapshot: Snapshot, picture: Picture, score: float) -> Twins:
    entry = snapshot.view.find(picture.key, meaning=False)
    if entry is None:
        return Twins(picture, ())
    query = Query(features=entry.features, num=_TWINS, score_threshold=score)
    later = [hit for hit in snapshot.search(query).hits if hit.picture.key > picture.key]
    return Twins(picture, tuple(later))
