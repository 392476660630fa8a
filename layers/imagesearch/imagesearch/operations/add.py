"""Add a picture: look at it, then write it to the log; searchable when this returns."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from imagesearch.catalogue import Instance, Picture, PictureKey, Region
from imagesearch.errors import InstanceFull, PictureDuplicated, PictureExists
from imagesearch.index import Entry, Features, Hit, Query
from imagesearch.observe import measure
from imagesearch.operations.deployment import Catalogue, Deployment
from imagesearch.operations.duplicates import SAME
from imagesearch.operations.fields import (
    AttributeFields,
    CategoryId,
    PicName,
    ProductId,
    check_category,
)
from imagesearch.operations.looking import look_while_opening
from imagesearch.operations.source import picture_bytes
from imagesearch.operations.thumbnails import Making

if TYPE_CHECKING:
    from imagesearch.vision import View, Vision

__all__ = ["AddPicture", "Added", "add_picture"]


class AddPicture(AttributeFields, frozen=True, kw_only=True):
    """What an add is given. (product_id, pic_name) is the key; see ``if_exists``."""

    product_id: ProductId
    pic_name: PicName
    image: bytes | None = None
    upload_id: str | None = None
    category_id: CategoryId | None = None
    crop: bool = True
    region: str | list[int] | None = None
    if_exists: Literal["replace", "keep", "fail"] = "replace"
    if_duplicate: Annotated[
        Literal["keep", "report", "fail"],
        Meta(description="What to do when another picture looks the same."),
    ] = "keep"


@dataclass(frozen=True, slots=True)
class Added:
    """What an add did. ``new`` is false when ``if_exists=keep`` left a picture as it was.

    ``duplicates`` are other pictures that look the same, if they were asked for.
    """

    picture: Picture
    regions: tuple[Region, ...]
    sequence: int
    new: bool
    took_ms: dict[str, float]
    duplicates: tuple[Hit, ...] = ()


def add_picture(
    deployment: Deployment,
    request: AddPicture,
    *,
    idempotency_key: str | None = None,
    most: int | None = None,
) -> Added:
    """Index one picture. It is durable and found by every search that begins afterwards.

    Raises a :class:`~imagesearch.errors.PictureError` leaf for a picture that cannot be used,
    :class:`PictureExists` under ``if_exists=fail`` and :class:`PictureDuplicated` under
    ``if_duplicate=fail``. With ``most`` an instance that holds as many pictures takes no more:
    :class:`InstanceFull`. Two adds at the same moment may both pass these checks; of one key the
    one with the later sequence then stands.
    """
    check_category(request.category_id)
    region = None if request.region is None else Region.parse(request.region)
    opening = deployment.open_soon(request.instance)
    image = picture_bytes(deployment, request.image, request.upload_id)

    def look(vision: Vision, instance: Instance) -> tuple[View, Making]:
        making = Making(deployment, instance)
        view = vision.look(
            image,
            instance.service,
            region=region,
            crop=request.crop,
            category_id=request.category_id,
            on_thumbnail=making.take if deployment.settings.thumbnails else None,
            meaning=True,
        )
        return view, making

    (view, making), catalogue = look_while_opening(deployment, request.instance, opening, look)
    key = PictureKey(request.product_id, request.pic_name)
    if most is not None and catalogue.snapshot.pictures >= most:
        _check_room(catalogue, key, most)
    if request.if_exists != "replace" and (standing := catalogue.snapshot.find(key, meaning=False)):
        return _left(standing, catalogue, request)
    picture = Picture(
        key, view.category_id, view.region, request.attributes(), classes=view.classes
    )
    entry = Entry.of(picture, view.vector, view.meaning)
    duplicates = _duplicates(catalogue, key, entry.features, request)
    picture = replace(picture, thumbnail=making.place())
    sequence = catalogue.index.append(
        [replace(entry, picture=picture)],
        after=catalogue.snapshot,
        operation_id=operation_id(request.instance, idempotency_key),
    )
    deployment.wrote(catalogue)
    counts = {"Adds": 1, "LogLength": catalogue.snapshot.log_length + 1}
    measure(request.instance, counts, view.took_ms)
    return Added(picture, view.regions, sequence, True, dict(view.took_ms), duplicates)


def _check_room(catalogue: Catalogue, key: PictureKey, most: int) -> None:
    if catalogue.snapshot.find(key, meaning=False) is None:
        raise InstanceFull(
            f"instance {catalogue.instance.name!r} holds {catalogue.snapshot.pictures:,} pictures; "
            f"the key may fill it up to {most:,}."
        )


def operation_id(instance: str, idempotency_key: str | None) -> str | None:
    """Derive the name of a write from the caller's ``Idempotency-Key``, if there is one."""
    if idempotency_key is None:
        return None
    return hashlib.sha256(f"{instance}\0{idempotency_key}".encode()).hexdigest()[:32]


def _duplicates(
    catalogue: Catalogue, key: PictureKey, features: Features, request: AddPicture
) -> tuple[Hit, ...]:
    """Return the other pictures that look the same, if the request asks for them."""
    if request.if_duplicate == "keep":
        return ()
    found = catalogue.search(Query(features=features, num=11, score_threshold=SAME))
    others = tuple(hit for hit in found.hits if hit.picture.key != key)[:10]
    if others and request.if_duplicate == "fail":
        first = others[0].picture.key
        raise PictureDuplicated(
            f"the picture looks the same as {first.pic_name!r} of product {first.product_id!r}: "
            f"score {others[0].likeness.score:.4f}, limit {SAME}.",
            field="if_duplicate",
        )
    return others


def _left(standing: Entry, catalogue: Catalogue, request: AddPicture) -> Added:
    if request.if_exists == "fail":
        raise PictureExists(
            f"picture {request.pic_name!r} of product {request.product_id!r} is indexed already.",
            field="if_exists",
        )
    picture = standing.picture
    return Added(picture, (picture.region,), catalogue.snapshot.sequence, False, {})
