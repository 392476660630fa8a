"""Give pictures that were added before their bundle knew meanings one, from their thumbnails.

A stored look does not tell enough of what a picture shows (docs/text-search.md has the figures).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagesearch.catalogue import Instance, PictureKey
from imagesearch.catalogue.thumbnails import read_thumbnail
from imagesearch.errors import BadRequest, ModelMismatch
from imagesearch.index import Change, Features, Lacking, Snapshot, encode, encode_meaning, likeness
from imagesearch.operations.deployment import Deployment

if TYPE_CHECKING:
    from imagesearch.vision import View, Vision

__all__ = ["Given", "give_meanings"]

_PAGE = 200
_SAME = 0.7
"""Score from which on what a thumbnail shows is taken for what was indexed."""


@dataclass(frozen=True, slots=True)
class Given:
    """How many pictures were given a meaning, and how many were passed over.

    Those have no thumbnail, or it does not show what was indexed: they need to be added again.
    """

    given: int = 0
    passed_over: int = 0


def give_meanings(
    deployment: Deployment, instance: Instance, *, has_time: Callable[[], bool]
) -> Given:
    """Give meanings and classes to pictures without, in the order of keys while there is time.

    A picture that is written anew meanwhile is left as it then is.
    """
    try:
        vision = deployment.vision_of(instance)
    except ModelMismatch:
        return Given()
    if vision.meaning is None:
        return Given()
    index = deployment.index(instance)
    given = passed_over = 0
    after: PictureKey | None = None
    while has_time():
        snapshot = index.snapshot()
        lacking = snapshot.without_meaning(after=after, limit=_PAGE)
        if not lacking:
            break
        after = lacking[-1].picture.key
        looks = (_change(deployment, instance, vision, snapshot, one) for one in lacking)
        looked = list(_while(has_time, looks))
        changes = [change for change in looked if change]
        if changes:
            index.append(changes=changes, after=snapshot)
        given += len(changes)
        passed_over += len(looked) - len(changes)
    return Given(given, passed_over)


def _while(has_time: Callable[[], bool], looks: Iterator[Change | None]) -> Iterator[Change | None]:
    """Yield what is there, until time is up."""
    for look in looks:
        yield look
        if not has_time():
            return


def _change(
    deployment: Deployment, instance: Instance, vision: Vision, snapshot: Snapshot, lacking: Lacking
) -> Change | None:
    picture = lacking.picture
    thumbnail, entry = (
        read_thumbnail(deployment.store, instance, picture),
        snapshot.view.find(picture.key, meaning=False),
    )
    view = _seen(vision, instance, thumbnail, entry.features) if thumbnail and entry else None
    if view is None or view.meaning is None:
        return None
    meaning = encode_meaning(view.meaning)
    return Change(picture.key, of=lacking.version, classes=view.classes, meaning=meaning)


def _seen(vision: Vision, instance: Instance, thumbnail: bytes, wanted: Features) -> View | None:
    """Look at each subject of a thumbnail, and at all of it; return the one that was indexed.

    Where it was in the picture itself does not help: how large that was is not known.
    """
    try:
        first = vision.look(thumbnail, instance.service, meaning=True)
        more = (
            vision.look(thumbnail, instance.service, region=region, meaning=True)
            for region in first.regions[1:]
        )
        whole = vision.look(thumbnail, instance.service, crop=False, meaning=True)
        views = [first, *more, whole]
    except BadRequest:
        return None
    best = max(views, key=lambda view: likeness(encode(view.vector), wanted).score)
    return best if likeness(encode(best.vector), wanted).score >= _SAME else None
